import FSRHandoff
import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What proves that a VM lives, and what does not prove that it is gone.
@Suite struct VMPresenceTests {
  /// A runtime folder with the folder of one VM, and whatever a test puts there.
  private struct Place: ~Copyable {
    let temporary: TemporaryDirectory
    let runtime: RuntimeDirectory

    init() throws {
      let temporary = try TemporaryDirectory()
      try temporary.directory.make("vms")
      let runtime = try RuntimeDirectory.open(temporary.path + "/vms", creating: true)
      try Directory.open(temporary.path + "/vms").make("vm")
      self.temporary = temporary
      self.runtime = runtime
    }

    func directory() throws -> Directory { try Directory.open(temporary.path + "/vms") }
    func folder() throws -> VMFolder { try runtime.vm("vm") }

    /// The folder of the control blocks, made when it is asked for first.
    func blocks() throws -> BlockDirectory {
      let folder = try folder()
      try? folder.directory.make("blocks")
      return try BlockDirectory(try Directory.open("blocks", in: folder.directory))
    }

    deinit {
      for path in ["vms/vm/blocks", "vms/vm", "vms"] {
        guard let found = try? Directory.open(temporary.path + "/" + path) else { continue }
        for name in (try? found.names(limit: 100)) ?? [] {
          if (try? found.unlink(name)) == nil { try? found.removeDirectory(name) }
        }
      }
    }
  }

  private static let machine = MachineIdentity(high: 1, low: 2)

  @Test func whoHoldsItLivesAsLongAsItIsHeld() throws {
    let place = try Place()
    let folder = try place.folder()
    #expect(folder.look() == .gone)
    let first = try VMPresence(in: folder)
    do {
      let second = try VMPresence(in: folder)
      #expect(folder.look() == .lives)
      withExtendedLifetime(second) {}
    }
    // Two hold it in a handoff, and either is enough.
    #expect(folder.look() == .lives)
    withExtendedLifetime(first) {}
  }

  @Test func nothingIsLeftOfItWhenItGoes() throws {
    let place = try Place()
    let folder = try place.folder()
    let presence = try VMPresence(in: folder)
    #expect(folder.look() == .lives)
    withExtendedLifetime(presence) {}
    _ = consume presence
    #expect(folder.look() == .gone)
  }

  @Test func aDuplicateOfTheFolderProvesNothing() throws {
    let place = try Place()
    let folder = try place.folder()
    let other = try folder.duplicate()
    #expect(folder.look() == .gone && other.look() == .gone)
  }

  @Test func aSocketThatSomebodyHasProvesALife() throws {
    let place = try Place()
    let folder = try place.folder()
    do {
      let listener = Owned(try UnixSocket.listen(in: folder.directory, name: VMFiles.socket))
      #expect(folder.look() == .lives)
      withExtendedLifetime(listener) {}
    }
    // Nobody listens where it still lies.
    #expect(folder.look() == .gone)
  }

  @Test func aQueueThatIsFullIsALifeToo() throws {
    let place = try Place()
    let folder = try place.folder()
    let listener = Owned(try UnixSocket.listen(in: folder.directory, name: VMFiles.socket, backlog: 0))
    let waiting = Owned(try UnixSocket.connect(in: folder.directory, name: VMFiles.socket))
    #expect(folder.look() == .lives)
    withExtendedLifetime((listener, waiting)) {}
  }

  @Test(arguments: [true, false]) func withoutASocketTheBlocksSayIt(lives: Bool) throws {
    let place = try Place()
    let blocks = try place.blocks()
    let sleeper = try Sleeper()
    let block = try blocks.create(
      attempt: 1, generation: 0, machine: Self.machine, state: .destVerify)
    block.enroll(.destination, as: sleeper.identity)
    try blocks.publish(block)
    if !lives { sleeper.end() }
    #expect(try place.folder().look() == (lives ? .lives : .gone))
    withExtendedLifetime(sleeper) {}
  }

  @Test func aNumberOfAnotherNamespaceSaysNothing() throws {
    let place = try Place()
    let blocks = try place.blocks()
    let sleeper = try Sleeper()
    let block = try blocks.create(
      attempt: 1, generation: 0, machine: Self.machine, state: .destination)
    block.enroll(.destination, as: sleeper.identity, in: PIDNamespace(number: 7))
    try blocks.publish(block)
    sleeper.end()
    let folder = try place.folder()
    guard case .unknown(let why) = folder.look() else {
      Issue.record("\(folder.look())")
      return
    }
    #expect(
      why.what.contains("another PID namespace") && why.remedy?.contains("nsenter") == true
        && why.code == .rights)
    // What it holds would be seen.
    let listener = Owned(try UnixSocket.listen(in: folder.directory, name: VMFiles.socket))
    #expect(folder.look() == .lives)
    withExtendedLifetime(listener) {}
  }

  @Test func cleanersLeaveWhatIsHeldAlone() throws {
    let place = try Place()
    _ = try place.blocks()
    let folder = try place.folder()
    let presence = try VMPresence(in: folder)
    try presence.keepBlocks(of: folder)
    let script = "for d in . vm vm/blocks; do flock -n -x $d true && echo \"$d is free\"; done; true"
    func isFree() throws -> String {
      try BuiltCommand.shell("cd \(place.temporary.path)/vms && \(script)").output
    }
    let held = try isFree()
    #expect(held.isEmpty)
    withExtendedLifetime(presence) {}
    _ = consume presence
    let free = try isFree()
    #expect(free.split(separator: "\n").count == 3)
  }
}
