internal import FSRSystem

/// A party's processes, each behind a pidfd.
final class LinuxPeer: PeerProcess {
  private struct Member: Sendable {
    let identity: ProcessIdentity?
    let process: Owned<ProcessDescriptor>
  }

  private let members: [Member]
  /// The number of one that this process has started: nobody else has it until it is reaped.
  private let childNumber: Int32?

  /// Those of `identities` that live; nil when none does.
  init?(_ identities: [ProcessIdentity]) throws(SystemError) {
    var members: [Member] = []
    for identity in identities {
      if let opened = try ProcessDescriptor.open(identity) {
        members.append(Member(identity: identity, process: Owned(opened)))
      }
    }
    if members.isEmpty { return nil }
    self.members = members
    childNumber = nil
  }

  /// One that was just started.
  init(_ child: consuming ChildProcess) throws(SystemError) {
    childNumber = child.pid
    // One that is gone already has no identity.
    members = [Member(identity: try ProcessIdentity.of(pid: child.pid), process: Owned(child.process))]
  }

  var identities: [ProcessIdentity] { members.compactMap(\.identity) }

  var hasExited: Bool { members.allSatisfy { Self.hasExited($0) } }

  private static func hasExited(_ member: Member) -> Bool { (try? member.process.value.hasExited()) ?? false }

  func hasSent(_ pid: Int32?) -> Bool { pid == (childNumber ?? members[0].identity?.pid) }

  func kill() {
    for member in members { _ = try? member.process.value.signal(SignalNumber.kill) }
  }

  func mayBeEnded(forOwnerOf file: borrowing OwnedDescriptor) -> Bool {
    for member in members where !Self.hasExited(member) {
      guard let identity = member.identity,
        EndingRight.mayEnd(member.process.value, identity, forOwnerOf: file)
      else { return false }
    }
    return true
  }

  func reap() {
    guard let childNumber else { return }
    try? ChildProcess.killGroup(ledBy: childNumber)
    _ = try? members[0].process.value.reap()
  }

  func copyDescriptor(_ number: Int32) throws(SystemError) -> OwnedDescriptor {
    try members[0].process.value.copyDescriptor(number)
  }

  func watch(_ poller: inout Poller, token: Int) {
    // One that has exited stays readable, and would end every wait for the others.
    for member in members where !Self.hasExited(member) || hasExited {
      poller.watch(member.process.value.descriptor, token: token)
    }
  }
}
