import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
import FSRState
import FSRTestSupport
import Testing

/// Each section of a board's state as it was written once.
@Suite struct MachineFixtureTests {
  private static let uart = BoardMap.uart
  private static let clint = BoardMap.clint
  private static let plic = BoardMap.plic

  private static func rig() throws -> GuestRig {
    try GuestRig(memory: GuestMemory(size: 1 << 20), harts: 2)
  }

  private static func put(_ rig: GuestRig, _ address: UInt64, _ value: UInt64, width: Int = 4) {
    #expect(rig.machine.bus.store(value, at: address, width: width) == .done)
  }

  private static func get(_ rig: GuestRig, _ address: UInt64, width: Int = 4) -> UInt64? {
    rig.machine.bus.load(address, width: width)
  }

  /// A serial port in which nothing stands as at the start: in loopback, three bytes received, a fourth held from before
  /// its queues went on.
  private static func setPort(_ rig: GuestRig) {
    let steps: [(UInt64, UInt64)] = [
      (4, 0x1b), (0, 0x48), (3, 0x83), (0, 0x0c), (1, 0x01), (3, 0x1b), (7, 0x5a), (2, 0xc1), (0, 0x61),
      (0, 0x62),
      (0, 0x63),
    ]
    for (register, value) in steps { put(rig, uart + register, value, width: 1) }
  }

  private static func setControllers(_ rig: GuestRig) {
    put(rig, clint + 4, 1)
    put(rig, clint + 0x4000, 0x0102_0304_0506_0708, width: 8)
    put(rig, clint + 0xbff8, 1_000_000, width: 8)
    put(rig, plic + 4, 7)
    put(rig, plic + 40, 3)
    put(rig, plic + 0x2000 + 2 * 0x80, 0x402)
    put(rig, plic + 0x2000 + 3 * 0x80 + 8, 0xdead_beef)
    put(rig, plic + 0x20_0000, 5)
  }

  /// A board with a byte that has interrupted hart 1, which has claimed it.
  private static func claimed() throws -> GuestRig {
    let rig = try rig()
    setControllers(rig)
    setPort(rig)
    put(rig, uart + 1, 1, width: 1)
    #expect(get(rig, plic + 0x20_2004) == 10)
    return rig
  }

  /// One whose serial port has asked for an interrupt, and does so no more, before anybody has claimed it.
  private static func latched() throws -> GuestRig {
    let rig = try rig()
    setControllers(rig)
    setPort(rig)
    put(rig, uart + 1, 2, width: 1)
    #expect(get(rig, uart + 2, width: 1) == 0xc2)
    put(rig, uart + 1, 4, width: 1)
    return rig
  }

  private static func expect(_ fixture: String, of section: String, _ rig: GuestRig) throws {
    let sections = rig.sections.save()
    let found = try #require(sections.first { $0.name == section })
    #expect(found.version == 1 && found.isNeeded == (section != "devices"))
    #expect(try Fixture(fixture).difference(from: found.payload) == nil)
  }

  @Test func devicesAreWrittenAsEver() throws {
    let claimed = try Self.claimed()
    try Self.expect("section-board.hex", of: "board", claimed)
    try Self.expect("section-clint.hex", of: "clint", claimed)
    try Self.expect("section-uart.hex", of: "uart", claimed)
    try Self.expect("section-plic-claimed.hex", of: "plic", claimed)
    let latched = try Self.latched()
    try Self.expect("section-uart-latched.hex", of: "uart", latched)
    try Self.expect("section-plic.hex", of: "plic", latched)
    try Self.expect("section-devices.hex", of: "devices", latched)
    #expect(!(try Self.rig().sections.save().contains { $0.name == "plic" || $0.name == "devices" }))
  }

  private static func section(_ name: String, _ fixture: String) throws -> StateSection {
    StateSection(
      name: name, version: 1, isNeeded: name != "devices", payload: try Fixture(fixture).bytes())
  }

  private static func harts() throws -> [StateSection] {
    [try section("hart.0", "section-hart-0.hex"), try section("hart.1", "section-hart-1.hex")]
  }

  @Test func aBoardIsReadForGood() throws {
    let rig = try Self.rig()
    let board = try [
      Self.section("board", "section-board.hex"), Self.section("clint", "section-clint.hex"),
      Self.section("uart", "section-uart.hex"), Self.section("plic", "section-plic-claimed.hex"),
    ]
    try rig.sections.restore(board + Self.harts())
    // As the guest sees it.
    #expect(Self.get(rig, Self.clint) == 0 && Self.get(rig, Self.clint + 4) == 1)
    #expect(Self.get(rig, Self.clint + 0x4000, width: 8) == 0x0102_0304_0506_0708)
    #expect(Self.get(rig, Self.clint + 0x4008, width: 8) == .max)
    #expect(Self.get(rig, Self.clint + 0xbff8, width: 8) == 1_000_000)
    #expect(Self.get(rig, Self.uart + 1, width: 1) == 1 && Self.get(rig, Self.uart + 3, width: 1) == 0x1b)
    #expect(Self.get(rig, Self.uart + 4, width: 1) == 0x1b && Self.get(rig, Self.uart + 7, width: 1) == 0x5a)
    Self.put(rig, Self.uart + 3, 0x9b, width: 1)
    #expect(Self.get(rig, Self.uart, width: 1) == 0x0c && Self.get(rig, Self.uart + 1, width: 1) == 1)
    Self.put(rig, Self.uart + 3, 0x1b, width: 1)
    #expect((0..<3).map { _ in Self.get(rig, Self.uart, width: 1) } == [0x61, 0x62, 0x63])
    #expect(Self.get(rig, Self.plic + 4) == 7 && Self.get(rig, Self.plic + 40) == 3)
    #expect(Self.get(rig, Self.plic + 0x2100) == 0x402 && Self.get(rig, Self.plic + 0x2188) == 0xdead_beef)
    #expect(Self.get(rig, Self.plic + 0x20_0000) == 5)
    // Claimed, and nothing to claim until it is completed and asked for again.
    #expect(Self.get(rig, Self.plic + 0x20_2004) == 0)
  }

  @Test func whatDevicesHaveBesidesIsReadForGood() throws {
    let rig = try Self.rig()
    let board = try [
      Self.section("board", "section-board.hex"), Self.section("clint", "section-clint.hex"),
      Self.section("uart", "section-uart-latched.hex"), Self.section("plic", "section-plic.hex"),
      Self.section("devices", "section-devices.hex"),
    ]
    try rig.sections.restore(board + Self.harts())
    #expect(Self.get(rig, Self.plic + 0x1000) == 1 << 10, "asked for, though the line has fallen")
    #expect(Self.get(rig, Self.plic + 0x20_2004) == 10)
    // Three bytes are fewer than 14, the highest trigger level.
    Self.put(rig, Self.uart + 1, 1, width: 1)
    #expect(Self.get(rig, Self.uart + 2, width: 1) == 0xcc)
    // Without queues the byte reads again that was held before.
    Self.put(rig, Self.uart + 2, 0, width: 1)
    #expect(Self.get(rig, Self.uart, width: 1) == 0x48)
  }

  // MARK: harts

  /// A hart's payload, made here: two numbers of it are not the same.
  private static func hart(_ number: UInt16, isWaiting: Bool) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(number)
    writer.write(0x8000_1000 + UInt64(number) * 2)
    for register in UInt64(1)..<32 { writer.write(register << 56 | UInt64(number) << 8 | register) }
    for control: UInt64 in [
      0x88, 0x888, 0x8000_2001, 0x1234_5678_9abc_def0, 0x8000_3002, 1 << 63 | 7, 0xffff_0000,
    ] { writer.write(control) }
    for count in UInt64(1)...3 { writer.write(count << 40 | UInt64(number)) }
    writer.write(isWaiting)
    return writer.bytes
  }

  @Test(arguments: [UInt16(0), 1]) func aHartIsReadForGoodAndWrittenAsEver(number: UInt16) throws {
    let fixture = Fixture("section-hart-\(number).hex")
    #expect(try fixture.difference(from: Self.hart(number, isWaiting: number == 1)) == nil)
    let rig = try Self.rig()
    let section = try Self.section("hart.\(number)", "section-hart-\(number).hex")
    let isTaken = try rig.sections.restore(section)
    #expect(isTaken)
    let hart = try rig.registers(Int(number))
    #expect(hart.pc == 0x8000_1000 + UInt64(number) * 2 && hart["sp"] == 2 << 56 | UInt64(number) << 8 | 2)
    #expect(hart["t6"] == 31 << 56 | UInt64(number) << 8 | 31 && hart.status == 0x88)
    #expect(hart.enabled == 0x888 && hart.vector == 0x8000_2001 && hart.scratch == 0x1234_5678_9abc_def0)
    #expect(hart.exceptionPC == 0x8000_3002 && hart.cause == 1 << 63 | 7 && hart.value == 0xffff_0000)
    #expect(hart.executed == 1 << 40 | UInt64(number) && hart.isWaiting == (number == 1))
    #expect(rig.sections.save().contains(section))
  }
}
