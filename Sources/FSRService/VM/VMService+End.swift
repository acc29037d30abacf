internal import FSRHandoff
internal import FSRHost
internal import FSRState
internal import FSRSystem
internal import Synchronization

/// How the VM of this process ends. Clients are answered all the while.
extension VMService {
  /// Looks whether guest or VM have come to their end, and does the next thing for that; true when this process is to end.
  func isAtEnd() -> Bool {
    switch ended.withLock({ $0 }) {
    // Somebody who wants it stopped cuts its last words short.
    case .underWay: return false
    case .toldOf:
      leaveFolder()
      return true
    case .no: break
    }
    if isStopping.isUp, ownership.callOff(because: HandoffReport.vmStops) {
      stopGuest(removing: true)
      return true
    }
    guard context.ending.value != nil, restart.look() == .ends,
      ownership.callOff(because: HandoffReport.guestEnds), ownership.close()
    else { return false }
    ended.withLock { $0 = .underWay }
    let body: @Sendable () -> Void = { [self] in
      endGuest()
      ended.withLock { $0 = .toldOf }
      wakeLoop()
    }
    if (try? OSThread.start(name: "ending", detached: true, body)) == nil { body() }
    return false
  }

  /// How the guest has ended itself, once that is told of; nil where the VM was stopped.
  var toldEnd: GuestEnd? {
    if case .toldOf = ended.withLock({ $0 }) { return context.ending.value }
    return nil
  }

  /// Ends the VM: its guest stands for good.
  func stopGuest(removing: Bool) {
    control.stopAccepting()
    haltGuest()
    // Whoever asked for it looks whether it is gone.
    guard removing else { return }
    vm.removeFiles()
    context.folder.value.removeIfWhole()
  }

  private func haltGuest() {
    restart.end()
    vm.halt()
    reservation.end()
  }

  private func endGuest() {
    guard let end = context.ending.value else { return }
    haltGuest()
    (vm as? any ConsoleVM)?.finishConsole(end) { !isStopping.isUp }
    log.notice("the guest has ended: \(end.text)")
    history.tellAllResets()
    history.append("ended", because: end.text)
    // Written down before this process leaves, so that nobody calls the VM lost.
    do { try context.folder.value.writeEnded(end) } catch {
      log.error("cannot write down the guest's end: \(error)")
    }
  }

  /// The last thing after a guest's own end.
  private func leaveFolder() {
    control.stopAccepting()
    if isStopping.isUp { return context.folder.value.removeIfWhole() }
    try? context.folder.value.directory.unlink(VMFiles.socket)
    context.folder.value.removeBlocks()
  }
}
