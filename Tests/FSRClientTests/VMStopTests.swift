import FSRClient
import FSRHandoff
import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// Who is ended with a VM: every process of every party, also of those that are several.
@Suite struct VMStopTests {
  /// A VM's folder with one block, in which `enroll` says who is who.
  private static func folder(
    in place: borrowing TemporaryDirectory, _ state: ResumeState,
    _ enroll: (ControlBlock, borrowing VMFolder) throws -> Void
  ) throws -> VMFolder {
    let runtime = try RuntimeDirectory.open(place.path, creating: false)
    let folder = try runtime.makeVM("web")
    let machine = MachineIdentity(high: 1, low: 2)
    try folder.writeMark(of: machine)
    try folder.directory.make("blocks")
    let blocks = try BlockDirectory(try Directory.open("blocks", in: folder.directory))
    let block = try blocks.create(attempt: 1, generation: 1, machine: machine, state: state)
    try enroll(block, folder)
    try blocks.publish(block)
    return folder
  }

  private static func hasEnded(_ sleeper: borrowing Sleeper) throws -> Bool {
    try ProcessDescriptor.open(sleeper.identity)?.hasExited() ?? true
  }

  @Test(arguments: [Party.source, .destination, .coordinator]) func allOfAPartyEnd(_ party: Party) throws {
    let place = try TemporaryDirectory()
    let (second, third) = (try Sleeper(), try Sleeper())
    var made: Sleeper?
    let folder = try Self.folder(in: place, party == .source ? .resumed : .destination) { block, folder in
      // A VM's first process has its folder open.
      let first = try Sleeper(having: folder.directory.descriptor)
      block.enroll(party, as: first.identity)
      try block.enroll(further: [second.identity, third.identity], of: party)
      made = first
    }
    let first = try required(made)
    try VMClient.stop(folder)
    let ended = [try Self.hasEnded(first), try Self.hasEnded(second), try Self.hasEnded(third)]
    #expect(ended == [true, true, true])
    let isRemoved = folder.isRemoved
    #expect(isRemoved)
  }

  /// The one that answers for them is gone, and they have the guest.
  @Test func thoseEndThatHaveOutlivedTheirFirst() throws {
    let place = try TemporaryDirectory()
    let (first, second) = (try Sleeper(), try Sleeper())
    let folder = try Self.folder(in: place, .destination) { block, _ in
      block.enroll(.destination, as: first.identity)
      try block.enroll(further: [second.identity], of: .destination)
    }
    first.end()
    try VMClient.stop(folder)
    let isDone = try Self.hasEnded(second) && folder.isRemoved
    #expect(isDone)
  }

  /// A VMM that ends in order removes its folder by itself, and with it says who works for it.
  @Test func thoseEndWhoseVMMEndsInOrder() async {
    let findings = await Blocking.run { () -> [String] in
      do {
        let place = try TemporaryDirectory(under: "/tmp")
        let runtime = try RuntimeDirectory.open(place.path, creating: false)
        let name = "group-\(ProcessIdentity.current().pid)"
        _ = try VMLauncher.start(
          VMConfiguration(name: name, memory: 1 << 20, vcpus: 1, guest: "soak"), in: runtime,
          executable: try BuiltCommand.path(of: "CountingVMM"), endsWithUs: true)
        let folder = try runtime.vm(name)
        let helper = try Sleeper()
        guard let block = try folder.blocks()?.newest() else { return ["there is no block"] }
        try block.enroll(further: [helper.identity], of: .destination)
        // It has no reason to end by itself.
        var limits = HandoffLimits()
        limits.reap = 1_000_000
        try VMClient.stop(folder, limits: limits)
        return try Self.hasEnded(helper) && folder.isRemoved ? [] : ["its helper lives on"]
      } catch { return ["\(error)"] }
    }
    #expect(findings == [])
  }

  /// Of a VM that is stopped by its clock alone: nobody answers, and the lock is somebody's who has said long ago that he
  /// lives, by `limits`.
  @Test func aCoordinatorThatHangsIsWaitedForByTheLimits() throws {
    let place = try TemporaryDirectory()
    let owner = try Sleeper()
    let folder = try Self.folder(in: place, .none) { block, _ in
      block.enroll(.source, as: owner.identity)
      block.pass(.stunned, at: 1)
    }
    guard case .taken(let lock) = try VMLock.attempt(in: folder.directory) else {
      Issue.record("somebody has the lock of a folder of this test's own")
      return
    }
    defer { _ = lock }
    // Looked at by a clock that goes on by a second a look.
    var (looks, limits) = (UInt64(0), HandoffLimits())
    limits.settle = 7_000_000_000
    let start = MonotonicClock.now()
    try VMClient.stop(folder, limits: limits) {
      looks += 1
      return start + looks * 1_000_000_000
    }
    #expect((7...13).contains(looks), "\(looks) looks")
    let isDone = try Self.hasEnded(owner) && folder.isRemoved
    #expect(isDone)
  }
}
