internal import FSRHandoff
public import FSRHost
internal import FSRSystem

extension VMClient {
  /// How long a VM may give no answer before a client gives up, in nanoseconds: longer than a stun.
  private static let attachLimit: UInt64 = 10_000_000_000
  /// Nanoseconds between two attempts.
  private static let attachInterval: UInt64 = 20_000_000
  /// How often a VMM that runs its guest may turn the question away before it counts as one that does not know it.
  private static let refusalLimit = 5

  /// Attaches to a VM's console, in whatever process the VM is; waits for a handoff that is in its stun.
  ///
  /// - Parameter isCancelled: asked between attempts.
  /// - Throws: `VMError` `noSuchVM` where the guest has ended or the VM was stopped, `lost`, `stunned`, or `other`
  ///   for a VMM of a build that has no console.
  public static func console(of folder: borrowing VMFolder, isCancelled: () -> Bool) throws(VMError)
    -> ConsoleLink
  {
    let deadline = MonotonicClock.now() + attachLimit
    var refusals = 0
    while true {
      var want: VMError?
      do {
        if let memory = try askForConsole(folder, &want) {
          return try ConsoleLink(folder: try folder.duplicate(), memory: memory)
        }
        refusals += 1
      } catch let error as SystemError where error.isOwnShortage {
        throw VMError(error)
      } catch {
        // Nobody listens at this moment, or answers: what the VM's state is says whether to wait.
      }
      if folder.isRemoved { throw VMError(.noSuchVM, "\(folder.name) was stopped") }
      let status = try status(of: folder)
      if status.state == .lost {
        throw VMError(
          .lost, "\(folder.name) is lost: nobody runs it or can; `fsr stop \(folder.name)` clears up")
      }
      if refusals >= refusalLimit, let want { throw want }
      if refusals >= refusalLimit, status.isAnswered, status.state == .running {
        throw VMError(
          .other,
          "the VMM of \(folder.name) is of a build without this command; `fsr handoff \(folder.name)` puts this one in its place"
        )
      }
      if isCancelled() { throw VMError(.other, "interrupted") }
      try checkIsNotStopped(folder)
      if MonotonicClock.now() >= deadline {
        throw status.state == .stunned
          ? VMError(.stunned, "\(folder.name) stands still; `fsr recover \(folder.name)` settles who runs it")
          : VMError(.other, "\(folder.name) does not answer; `fsr status \(folder.name)` tells more")
      }
      MonotonicClock.sleep(attachInterval)
    }
  }

  /// Nil where the VMM hangs up, or turns the question away; for want of what it says in `want`.
  private static func askForConsole(_ folder: borrowing VMFolder, _ want: inout VMError?) throws
    -> OwnedDescriptor?
  {
    let socket = try UnixSocket.connect(in: folder.directory, name: VMFiles.socket, timeout: answerLimit)
    try socket.send(ControlVerb.console.encoded)
    guard
      var answer = try socket.receive(
        limit: UnixSocket.messageLimit, maximumDescriptors: 1, timeout: answerLimit)
    else { return nil }
    want = refusal(answer.bytes, of: folder)
    return answer.descriptors.take(0)
  }
}
