import FSRMachine
import FSRState
import Synchronization
import Testing

/// Whoever sleeps is told of all that may end its sleep: a hart that is not hears of nothing until its timer comes.
@Suite struct WakingTests {
  private static let harts = 4
  private static let software = BoardMap.clint
  private static let compare = BoardMap.clint + 0x4000
  private static let time = BoardMap.clint + 0xbff8

  @Test func aNewTimeConcernsEveryHart() throws {
    let waker = RecordingWaker()
    let machine = try board(harts: Self.harts, waker: waker)
    for (offset, width) in [(0, 8), (0, 4), (4, 4)] as [(UInt64, Int)] {
      #expect(machine.bus.store(1 << 20, at: Self.time + offset, width: width) == .done)
      #expect(waker.look() == Set(0..<Self.harts))
    }
    #expect(machine.bus.load(Self.time, width: 8) != nil && waker.look().isEmpty)
  }

  @Test func aTimerAndAnotherHartsCallConcernTheOneThatTheyAreFor() throws {
    let waker = RecordingWaker()
    let machine = try board(harts: Self.harts, waker: waker)
    for hart in 0..<Self.harts {
      let place = UInt64(hart)
      for (offset, width) in [(0, 8), (0, 4), (4, 4)] as [(UInt64, Int)] {
        _ = machine.bus.store(5, at: Self.compare + place * 8 + offset, width: width)
        #expect(waker.look() == [hart])
      }
      _ = machine.bus.store(1, at: Self.software + place * 4, width: 4)
      #expect(waker.look() == [hart])
      _ = machine.bus.store(0, at: Self.software + place * 4, width: 4)
      // For nothing is harmless, and somebody else is not asked for.
      #expect(waker.look().isSubset(of: [hart]))
    }
  }

  /// The serial port's source, for the machine mode of `harts`.
  private static func enable(_ machine: Machine, for harts: [Int]) {
    let plic = BoardMap.plic
    _ = machine.bus.store(1, at: plic + UInt64(BoardMap.uartInterrupt) * 4, width: 4)
    for hart in harts {
      _ = machine.bus.store(
        1 << UInt64(BoardMap.uartInterrupt), at: plic + 0x2000 + UInt64(hart) * 0x100, width: 4)
    }
    _ = machine.bus.store(1, at: BoardMap.uart + 1, width: 1)
  }

  @Test func aDevicesInterruptConcernsThoseThatHaveItEnabled() throws {
    let waker = RecordingWaker()
    let input = TypedInput()
    let machine = try board(harts: Self.harts, input: input, waker: waker)
    Self.enable(machine, for: [1, 3])
    #expect(waker.look().isEmpty)
    input.type("a")
    machine.uart.receive()
    #expect(waker.look() == [1, 3])
    // Whoever enables it later hears of it then.
    Self.enable(machine, for: [2])
    #expect(waker.look() == [2])
  }

  @Test func whatWaitsInACheckpointConcernsThoseWhoSleepThere() throws {
    let input = TypedInput()
    let machine = try board(harts: Self.harts, input: input)
    Self.enable(machine, for: [2])
    input.type("a")
    machine.uart.receive()
    let cpus = (0..<Self.harts).map { ParkedHart(hart: $0) }
    let sections = MachineSections(machine: machine, cpus: cpus).save()
    for order in [sections, sections.reversed()] {
      let waker = RecordingWaker()
      let other = try board(harts: Self.harts, waker: waker)
      try MachineSections(machine: other, cpus: cpus).restore(order)
      #expect(waker.look().contains(2) && other.lines(of: 2).external.load(ordering: .acquiring) == 1)
    }
  }

  @Test func aStopConcernsEveryHart() throws {
    let waker = RecordingWaker()
    let machine = try board(harts: Self.harts, waker: waker)
    machine.requestStop()
    #expect(waker.look() == Set(0..<Self.harts))
  }
}
