internal import FSRHandoff
internal import FSRHost
internal import FSRMemory
internal import FSRState
internal import FSRSystem
internal import Synchronization

/// What clients ask of a VM's process, and are answered.
extension VMService {
  /// How long a client may take to ask, and vCPUs to stand for a pause, in nanoseconds.
  private static let requestLimit: UInt64 = 1_000_000_000

  /// Serves one client, on a thread of its own.
  func serve(_ socket: Owned<UnixSocket>) {
    do {
      let peer = try socket.value.peer()
      guard peer.uid == Host.effectiveUserID || peer.uid == 0 else { return }
      guard
        var received = try socket.value.receive(
          limit: UnixSocket.messageLimit, maximumDescriptors: 2, timeout: Self.requestLimit)
      else { return }
      if let verb = ControlVerb(received.bytes) { return try answer(verb, socket) }
      let message = try Message(decoding: received.bytes)
      try handOver(message, received.descriptors.takeAll(), socket, askedBy: peer)
    } catch { control.turnAway(socket, error) }
  }

  /// What this VMM can be asked for.
  var verbs: Set<ControlVerb> {
    var verbs: Set<ControlVerb> = [.status, .stop]
    if vm is any PausableVM { verbs.formUnion([.pause, .resume]) }
    if vm is any ConsoleVM { verbs.insert(.console) }
    if vm is any FileWritingVM { verbs.insert(.files) }
    return verbs
  }

  private func answer(_ verb: ControlVerb, _ socket: Owned<UnixSocket>) throws {
    switch verb {
    case .status: try socket.value.send(status().encoded)
    case .stop: stop(for: socket)
    case .console:
      guard let vm = vm as? any ConsoleVM else { throw lacks(verb) }
      // The client needs no VMM from then on: the console's memory goes with the guest.
      var bag = DescriptorBag()
      bag.append(try vm.consoleMemory())
      try socket.value.send([0], descriptors: bag)
    case .files:
      guard let vm = vm as? any FileWritingVM else { throw lacks(verb) }
      try socket.value.send([0], descriptors: try vm.writtenFiles())
    case .pause:
      guard let vm = vm as? any PausableVM else { throw lacks(verb) }
      let answer = vm.pause(limit: Self.requestLimit)
      if answer == .done { log.notice("paused by a client") }
      try socket.value.send(answer.encoded)
    case .resume:
      guard let vm = vm as? any PausableVM else { throw lacks(verb) }
      let answer = vm.unpause()
      if answer == .done { log.notice("let run by a client") }
      try socket.value.send(answer.encoded)
    }
  }

  private func lacks(_ verb: ControlVerb) -> HandoffError {
    .refused(ControlVerb.reason(for: verb, of: vm.facts.kind))
  }

  private func stop(for socket: Owned<UnixSocket>) {
    log.notice("told to stop by a client")
    isStopping.raise()
    wakeLoop()
    // The connection ends with the process: that is the answer.
    while true {
      _ = try? socket.value.receive(limit: 16, maximumDescriptors: 0, timeout: nil)
      MonotonicClock.sleep(Self.requestLimit)
    }
  }

  // MARK: status

  private var state: VMState {
    if ended.withLock({ $0 }) != .no { return .ending }
    if ownership.current != nil { return .handoff }
    if restart.isAwaited { return .reset }
    return (vm as? any PausableVM)?.isPaused == true ? .paused : .running
  }

  private func status() -> VMReport {
    var status = VMReport(name: vm.facts.name, state: state)
    status.facts.kind = vm.facts.kind
    status.facts.verbs = verbs
    status.facts.memoryBytes = vm.memory.size
    status.facts.reservedBytes = vm.facts.reserve
    status.facts.log = context.folder.value.path + "/" + VMFiles.log
    status.runner.generation = ownership.generation
    status.runner.pid = ProcessIdentity.current().pid
    status.runner.binary = (try? Executable.path()) ?? ""
    status.runner.build = build
    status.residentPages = (try? vm.memory.residentPages()) ?? 0
    if vm.facts.nodes != nil { status.facets.placement = MemoryPlacement(of: vm.memory) }
    vm.report(into: &status.facets)
    return status
  }
}
