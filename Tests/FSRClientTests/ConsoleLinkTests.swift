import FSRClient
import FSRHandoff
import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What a client that is attached to a console makes of the VM's control blocks, which it reads by itself.
@Suite struct ConsoleLinkTests {
  private static let timeout: UInt64 = 60_000_000_000
  /// How long a VM seems lost before it is called that.
  private static let doubt: UInt64 = 1_000_000_000

  /// A block that `owner` has won.
  private static func win(_ blocks: borrowing BlockDirectory, _ attempt: UInt32, _ owner: Sleeper) throws {
    let block = try blocks.create(
      attempt: attempt, generation: 1, machine: MachineIdentity(high: 1, low: 2), state: .destination)
    block.enroll(.destination, as: owner.identity)
    block.pass(.entered, at: 1)
    try blocks.publish(block)
  }

  private static func wait(until condition: () -> Bool) -> Bool {
    let deadline = MonotonicClock.now() + timeout
    while !condition() {
      if MonotonicClock.now() >= deadline { return false }
      MonotonicClock.sleep(1_000_000)
    }
    return true
  }

  /// Gives whoever asks the console's memory; false where nobody does.
  private static func answer(_ listener: Owned<UnixSocket>, _ memory: Owned<OwnedDescriptor>) throws -> Bool {
    guard let socket = try listener.value.accept() else { return false }
    _ = try socket.receive(limit: 64, maximumDescriptors: 0, timeout: timeout)
    var bag = DescriptorBag()
    bag.append(try memory.value.duplicate())
    try socket.send([0], descriptors: bag)
    return true
  }

  /// A VM between two owners seems lost to whoever looks at that moment: only one that seems so for long is.
  @Test func everyDoubtIsGivenItsOwnTime() throws {
    let temporary = try TemporaryDirectory()
    try temporary.directory.make("vms")
    let vms = try Directory.open("vms", in: temporary.directory)
    let runtime = try RuntimeDirectory.open(temporary.path + "/vms", creating: true)
    try vms.make("vm")
    let place = try Directory.open("vm", in: vms)
    try place.make("blocks")
    let blocks = try BlockDirectory(try Directory.open("blocks", in: place))
    let console = try ConsoleBuffer()
    let listener = Owned(try UnixSocket.listen(in: place, name: "control.sock"))
    // A VMM that answers a client once.
    let memory = Owned(try console.descriptor.duplicate())
    let vmm = try OSThread.start(name: "vmm") {
      while (try? Self.answer(listener, memory)) == false { MonotonicClock.sleep(1_000_000) }
    }
    let owners = try (0..<3).map { _ in try Sleeper() }
    try Self.win(blocks, 1, owners[0])
    let link = try VMClient.console(of: try runtime.vm("vm")) { false }
    vmm.join()
    #expect(link.life() == .running)
    for attempt in 1...2 {
      owners[attempt - 1].end()
      #expect(link.life() == .standing)
      let begin = MonotonicClock.now()
      try Self.win(blocks, UInt32(attempt + 1), owners[attempt])
      #expect(link.life() == .running)
      // Longer than the doubt before it: the next one begins anew.
      #expect(Self.wait { MonotonicClock.now() > begin + Self.doubt + 1_000_000 })
    }
    // A handoff stands in the guest's way from its stun on.
    let handoff = try blocks.create(
      attempt: 4, generation: 1, machine: MachineIdentity(high: 1, low: 2), state: .none)
    handoff.enroll(.source, as: owners[2].identity)
    try blocks.publish(handoff)
    #expect(link.life() == .running)
    handoff.pass(.stunned, at: 1)
    #expect(link.life() == .standing)
    try blocks.directory.unlink("4")
    owners[2].end()
    #expect(link.life() == .standing)
    #expect(Self.wait { link.life() == .lost })
    for name in try blocks.directory.names(limit: 10) { try blocks.directory.unlink(name) }
    try place.removeDirectory("blocks")
    try place.unlink("control.sock")
    try vms.removeDirectory("vm")
    try temporary.directory.removeDirectory("vms")
  }
}
