import FSRMachine
import FSRMemory
import FSRState
import Testing

@Suite struct BusTests {
  private static let uart = BoardMap.uart

  @Test func whereNothingIsNothingAnswers() throws {
    let bus = try board().bus
    for address in [0, 0x1000_0100, 0x1000_0008, 0x1000_9000, 0x0c60_0000, 0x0201_0000, .max - 7] as [UInt64]
    {
      #expect(bus.load(address, width: 4) == nil)
      #expect(bus.store(1, at: address, width: 4) == .fault)
    }
    #expect(bus.load(BoardMap.clint + 0xbff9, width: 8) == nil)
    #expect(bus.load(BoardMap.clint, width: 2) == nil)
    #expect(bus.load(BoardMap.clint, width: 8) == nil)
    #expect(bus.load(BoardMap.plic + 4, width: 8) == nil)
    #expect(bus.store(0x5555, at: BoardMap.finisher, width: 1) == .fault)
    #expect(bus.store(0x5555, at: BoardMap.finisher, width: 8) == .fault)
  }

  @Test func devicesTakeTheirWidthsAlone() throws {
    let bus = try board().bus
    for width in [1, 2, 8] {
      #expect(bus.load(BoardMap.clint, width: width) == nil)
      #expect(bus.store(1, at: BoardMap.clint, width: width) == .fault)
    }
    for width in [1, 8] {
      #expect(bus.load(BoardMap.finisher, width: width) == nil)
      #expect(bus.store(0x5555, at: BoardMap.finisher, width: width) == .fault)
    }
    #expect(bus.load(BoardMap.clint + 0xc000, width: 8) == nil)
    #expect(bus.store(0, at: BoardMap.clint + 0xc000, width: 8) == .fault)
    #expect(bus.load(Self.uart + 8, width: 1) == nil)
    #expect(bus.store(0, at: Self.uart + 8, width: 1) == .fault)
  }

  @Test func theFinisherKnowsThreeWords() throws {
    let bus = try board().bus
    #expect(bus.store(0x5555, at: BoardMap.finisher, width: 4) == .ended(.passed))
    #expect(bus.store(0x0007_3333, at: BoardMap.finisher, width: 4) == .ended(.failed(code: 7)))
    #expect(bus.store(0x7777, at: BoardMap.finisher, width: 2) == .ended(.reset))
    #expect(bus.store(0x1234, at: BoardMap.finisher, width: 4) == .done)
  }

  @Test func timeIsTheClocksUntilTheGuestSetsIt() throws {
    let machine = try board(ticks: 5_000_000_000)
    let time = BoardMap.clint + 0xbff8
    #expect(machine.bus.load(time, width: 8) == 5_000_000_000)
    #expect(machine.bus.load(time + 4, width: 4) == 1)
    #expect(machine.bus.store(7, at: time, width: 8) == .done)
    #expect(machine.clint.time == 7)
    #expect(machine.clint.clockTicks(at: 17) == 5_000_000_010)
    // What has come is due at once, and what is far away is not.
    #expect(machine.clint.clockTicks(at: 7) == 0)
    #expect(machine.clint.clockTicks(at: 1 << 63) == UInt64(1) << 63 + 4_999_999_993)
    #expect(machine.clint.clockTicks(at: .max - 1) == .max)
  }

  @Test func timersAreSetInHalvesToo() throws {
    let machine = try board(harts: 2)
    let compare = BoardMap.clint + 0x4008
    #expect(machine.bus.load(compare, width: 8) == .max)
    #expect(machine.bus.store(1, at: compare, width: 4) == .done)
    #expect(machine.bus.store(2, at: compare + 4, width: 4) == .done)
    #expect(machine.bus.load(compare, width: 8) == 0x2_0000_0001)
    #expect(machine.bus.load(BoardMap.clint + 0x4010, width: 8) == 0)
  }

  @Test func theUARTHasQEMUsRegistersAfterReset() throws {
    let bus = try board().bus
    let values = (0..<8).map { bus.load(Self.uart + $0, width: 1) }
    #expect(values == [0, 0, 1, 0, 8, 0x60, 0xb0, 0])
  }

  @Test func theDivisorHidesTheTransmitter() throws {
    let console = RecordingConsole()
    let bus = try board(console: console).bus
    _ = bus.store(0x83, at: Self.uart + 3, width: 1)
    #expect(bus.load(Self.uart, width: 1) == 0x0c)
    _ = bus.store(0x34, at: Self.uart, width: 1)
    _ = bus.store(0x12, at: Self.uart + 1, width: 1)
    #expect(bus.load(Self.uart, width: 1) == 0x34)
    #expect(bus.load(Self.uart + 1, width: 1) == 0x12)
    _ = bus.store(0x03, at: Self.uart + 3, width: 1)
    #expect(console.all.isEmpty)
    _ = bus.store(0x41, at: Self.uart, width: 1)
    #expect(console.all == [0x41])
  }

  @Test func loopbackFillsTheReceiverWhichTravels() throws {
    let console = RecordingConsole()
    let machine = try board(console: console)
    let bus = machine.bus
    _ = bus.store(1, at: Self.uart + 2, width: 1)
    _ = bus.store(0x10, at: Self.uart + 4, width: 1)
    for byte in 0..<20 { _ = bus.store(UInt64(byte), at: Self.uart, width: 1) }
    #expect(bus.load(Self.uart, width: 1) == 0)
    let other = try board()
    let harts = [ParkedHart(hart: 0)]
    try MachineSections(machine: other, cpus: harts).restore(
      MachineSections(machine: machine, cpus: harts).save())
    #expect(other.bus.load(Self.uart + 5, width: 1) == 0x63)
    #expect(other.bus.load(Self.uart + 5, width: 1) == 0x61)
    let received = (1..<16).map { _ in other.bus.load(Self.uart, width: 1) }
    #expect(received == (1..<16).map { UInt64($0) })
    #expect(other.bus.load(Self.uart + 5, width: 1) == 0x60)
    #expect(console.all.isEmpty)
  }

  @Test func theTransmitterInterruptIsSaidOnce() throws {
    let bus = try board().bus
    _ = bus.store(2, at: Self.uart + 1, width: 1)
    #expect(bus.load(Self.uart + 2, width: 1) == 2)
    #expect(bus.load(Self.uart + 2, width: 1) == 1)
  }

  @Test func anEmptyTransportSaysThatItIsOne() throws {
    let bus = try board().bus
    for slot in 0..<UInt64(BoardMap.virtioCount) {
      let base = BoardMap.virtio + slot * BoardMap.virtioSize
      #expect((0..<5).map { bus.load(base + $0 * 4, width: 4) } == [0x7472_6976, 1, 0, 0x554d_4551, 0])
      #expect(bus.load(base, width: 1) == 0x76)
      #expect(bus.load(base, width: 8) == 0x1_7472_6976)
      #expect(bus.store(1, at: base + 0x70, width: 4) == .done)
      #expect(bus.load(base + 0x70, width: 4) == 0)
    }
  }
}
