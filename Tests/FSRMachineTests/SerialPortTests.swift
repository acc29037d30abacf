import FSRMachine
import FSRMemory
import FSRState
import Testing

/// The serial port's registers, a row for each line of the data sheet's tables; `port.c` has the same beside QEMU.
@Suite struct SerialPortTests {
  /// A store of a value to a register, or what a load of one gives.
  enum Step: Sendable {
    case put(UInt64, UInt64)
    case get(UInt64, UInt64)
    /// So many stores of `a` to the transmitter.
    case send(Int)
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let steps: [Step]

    init(_ name: String, _ steps: Step...) { (self.name, self.steps) = (name, steps) }

    var testDescription: String { name }
  }

  private static let loop = Step.put(4, 0x10)

  static let rows = [
    Row("an empty transmitter is told once", .put(1, 2), .get(2, 0x02), .get(2, 0x01)),
    Row("it is told after each byte", .put(1, 2), .get(2, 0x02), .put(0, 0x41), .get(2, 0x02), .get(2, 0x01)),
    Row(
      "it is told when it is enabled", .put(1, 2), .get(2, 2), .put(1, 3), .get(2, 1), .put(1, 1), .put(1, 3),
      .get(2, 2)),
    Row("it is told when the queues go on", .put(1, 2), .get(2, 2), .put(2, 1), .get(2, 0xc2), .get(2, 0xc1)),
    Row(
      "it is told when the queues go off", .put(2, 1), .put(1, 2), .get(2, 0xc2), .put(2, 0), .get(2, 2),
      .get(2, 1)),
    Row(
      "it is told when its queue is cleared", .put(2, 1), .put(1, 2), .get(2, 0xc2), .put(2, 5),
      .get(2, 0xc2), .get(2, 0xc1)),
    Row("it is not told of the receiver's", .put(2, 1), .put(1, 2), .get(2, 0xc2), .put(2, 3), .get(2, 0xc1)),
    Row(
      "without a queue the newer byte stays", loop, .put(0, 65), .put(0, 66), .get(5, 0x63), .get(5, 0x61),
      .get(0, 66),
      .get(5, 0x60)),
    Row("a byte that was read is held", loop, .put(0, 65), .get(0, 65), .get(0, 65), .get(5, 0x60)),
    Row("an empty queue holds nothing", .put(2, 1), loop, .put(0, 65), .get(0, 65), .get(0, 0)),
    Row(
      "a full queue keeps the older", .put(2, 1), loop, .send(16), .put(0, 66), .get(5, 0x63), .get(5, 0x61),
      .get(0, 97)),
    Row("the receiver is cleared without a queue", loop, .put(0, 65), .put(2, 2), .get(5, 0x60)),
    Row("the receiver is cleared", .put(2, 1), loop, .put(0, 65), .put(2, 3), .get(5, 0x60), .get(0, 0)),
    Row(
      "the transmitter's clearing is not the receiver's", .put(2, 1), loop, .put(0, 65), .put(2, 5),
      .get(0, 65)),
    Row("queues that go on are empty", loop, .put(0, 65), .put(2, 1), .get(5, 0x60)),
    Row(
      "an overrun comes first, and goes by the line's status", loop, .put(1, 7), .send(2), .get(2, 6),
      .get(5, 0x63), .get(2, 4)),
    Row(
      "received comes before sent", loop, .put(1, 3), .send(1), .get(2, 4), .get(0, 97), .get(2, 2),
      .get(2, 1)),
    Row(
      "four are received", .put(2, 0x41), loop, .put(1, 1), .send(3), .get(2, 0xcc), .send(1), .get(2, 0xc4)),
    Row(
      "eight are received", .put(2, 0x81), loop, .put(1, 1), .send(7), .get(2, 0xcc), .send(1), .get(2, 0xc4)),
    Row(
      "fourteen are received", .put(2, 0xc1), loop, .put(1, 1), .send(13), .get(2, 0xcc), .send(1),
      .get(2, 0xc4)),
    Row("fewer again", .put(2, 0x41), loop, .put(1, 1), .send(4), .get(0, 97), .get(2, 0xcc)),
    Row(
      "a level is set only with the queues", .put(2, 0xc0), .put(2, 1), loop, .put(1, 1), .send(1),
      .get(2, 0xc4)),
    Row("what is not enabled is not told", .put(2, 0xc1), loop, .send(3), .get(2, 0xc1)),
    Row(
      "the modem in loopback", .put(4, 0x1f), .get(6, 0xf0), .put(4, 0x1a), .get(6, 0x90), .put(4, 0x15),
      .get(6, 0x60)),
    Row(
      "the modem never changes", .put(1, 8), .put(4, 0x1f), .get(2, 1), .put(4, 8), .get(2, 1), .get(6, 0xb0)),
    Row(
      "a divisor in place of two registers", .put(3, 0x83), .put(0, 0x55), .put(1, 3), .get(0, 0x55),
      .get(1, 3), .put(3, 3), .get(1, 0)),
    Row(
      "bits that there are", .put(4, 0xff), .get(4, 0x1f), .put(1, 0xff), .get(1, 0x0f), .put(3, 0xff),
      .get(3, 0xff)),
    Row("status is read only", .put(5, 0xff), .put(6, 0xff), .get(5, 0x60), .get(6, 0xb0)),
  ]

  @Test(arguments: rows) func aRegisterDoesWhatTheDataSheetSays(row: Row) throws {
    let machine = try board()
    for step in row.steps {
      switch step {
      case .put(let register, let value):
        #expect(machine.bus.store(value, at: BoardMap.uart + register, width: 1) == .done)
      case .send(let count): for _ in 0..<count { _ = machine.bus.store(0x61, at: BoardMap.uart, width: 1) }
      case .get(let register, let value):
        #expect(machine.bus.load(BoardMap.uart + register, width: 1) == value, "\(step)")
      }
    }
  }

  @Test func inLoopbackNothingTypedComesIn() throws {
    let input = TypedInput()
    let machine = try board(input: input)
    _ = machine.bus.store(0x10, at: BoardMap.uart + 4, width: 1)
    input.type("a")
    machine.uart.receive()
    #expect(machine.bus.load(BoardMap.uart + 5, width: 1) == 0x60 && input.left == 1)
    _ = machine.bus.store(0, at: BoardMap.uart + 4, width: 1)
    #expect(machine.bus.load(BoardMap.uart + 5, width: 1) == 0x61)
  }

  // MARK: what travels

  private static let harts = [ParkedHart(hart: 0)]

  /// A port with a trigger level of 4, one byte in its queue, and a request whose line has fallen.
  private static func special() throws -> Machine {
    let machine = try board()
    for (register, value) in [(4, 0x10), (0, 0x7a), (2, 0x41), (0, 0x61), (1, 2), (1, 0), (1, 1)]
      as [(UInt64, UInt64)]
    {
      _ = machine.bus.store(value, at: BoardMap.uart + register, width: 1)
      // The transmitter's request is there before the receiver's own.
    }
    return machine
  }

  private static func identity(_ machine: Machine) -> UInt64? {
    machine.bus.load(BoardMap.uart + 2, width: 1)
  }

  @Test func whatOlderBuildsHaveNoPlaceForTravelsBesideIt() throws {
    let machine = try Self.special()
    let sections = MachineSections(machine: machine, cpus: Self.harts).save()
    let details = try #require(sections.first { $0.name == "devices" })
    #expect(!details.isNeeded && sections.filter { !$0.isNeeded }.count == 1)
    // The others are those that they read.
    #expect(sections.allSatisfy { $0.version == 1 })
    let other = try board()
    try MachineSections(machine: other, cpus: Self.harts).restore(sections)
    #expect(Self.identity(other) == 0xcc)
    // Without it, and in any order.
    try MachineSections(machine: other, cpus: Self.harts).restore(sections.filter { $0.name != "devices" })
    #expect(Self.identity(other) == 0xc4)
    try MachineSections(machine: other, cpus: Self.harts).restore(sections.reversed())
    #expect(Self.identity(other) == 0xcc)
    _ = other.bus.store(0, at: BoardMap.uart + 2, width: 1)
    #expect(other.bus.load(BoardMap.uart, width: 1) == 0x7a)
    #expect(throws: StateError.duplicateSection("devices")) {
      try MachineSections(machine: other, cpus: Self.harts).restore(sections + [details])
    }
    #expect(!MachineSections(machine: try board(), cpus: Self.harts).save().contains { $0.name == "devices" })
  }

  @Test func whatAnOlderBuildHasPassedOnCountsOnlyWhereThePortStandsAsItDid() throws {
    let machine = try Self.special()
    let details = try #require(
      MachineSections(machine: machine, cpus: Self.harts).save().first { $0.name == "devices" })
    _ = machine.bus.store(0, at: BoardMap.uart + 1, width: 1)
    let later = MachineSections(machine: machine, cpus: Self.harts).save().filter { $0.name != "devices" }
    let other = try board()
    try MachineSections(machine: other, cpus: Self.harts).restore(later + [details])
    _ = other.bus.store(1, at: BoardMap.uart + 1, width: 1)
    #expect(Self.identity(other) == 0xc4)
  }

  @Test func brokenDetailsAreRefused() throws {
    let machine = try Self.special()
    let sections = MachineSections(machine: machine, cpus: Self.harts)
    let good = try #require(sections.save().first { $0.name == "devices" })
    func restore(_ payload: [UInt8], _ version: UInt16 = 1) throws {
      _ = try sections.restore(
        StateSection(name: "devices", version: version, isNeeded: false, payload: payload))
    }
    for count in 0..<good.payload.count {
      #expect(throws: StateError.self) { try restore(Array(good.payload.prefix(count))) }
    }
    #expect(throws: StateError.self) { try restore(good.payload + [0]) }
    for (offset, byte) in [(1, 2), (5, 4)] {
      var payload = good.payload
      payload[offset] = UInt8(byte)
      #expect(throws: StateError.self) { try restore(payload) }
    }
    // Nothing depends on what a later build says there.
    #expect(throws: Never.self) { try restore([], 2) }
    #expect(Self.identity(machine) == 0xcc)
  }
}
