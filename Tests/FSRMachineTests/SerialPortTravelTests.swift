import FSRMachine
import FSRState
import FSRTestSupport
import Testing

/// A serial port in whatever state a driver can bring it to: it goes on elsewhere as it would have here.
@Suite struct SerialPortTravelTests {
  private enum Step {
    case put(UInt64, UInt64)
    case get(UInt64)
    case claim
    case complete(UInt64)
  }

  private static let plic = BoardMap.plic
  private static let source = UInt64(BoardMap.uartInterrupt)

  /// What drivers do: queues on and off, levels, loopback, bytes, interrupts that are asked for, claimed and completed.
  private static func step(_ random: inout SeededGenerator) -> Step {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<7: return .put(0, UInt64.random(in: 0...255, using: &random))
    case 7..<11: return .get(0)
    case 11: return .put(2, [0, 1, 1, 1, 0x41, 0x81, 0xc1, 3, 5, 7].randomElement(using: &random) ?? 1)
    case 12: return .put(1, UInt64.random(in: 0...15, using: &random))
    case 13: return .put(4, [0x10, 0x10, 0x10, 0x1f, 8].randomElement(using: &random) ?? 0x10)
    case 14: return .put(3, [3, 3, 3, 0x83].randomElement(using: &random) ?? 3)
    case 15: return .put(7, UInt64.random(in: 0...255, using: &random))
    case 16: return .claim
    case 17: return .complete(source)
    default: return .get(UInt64.random(in: 1...7, using: &random))
    }
  }

  private static func perform(_ step: Step, on machine: Machine) -> UInt64? {
    switch step {
    case .put(let register, let value):
      _ = machine.bus.store(value, at: BoardMap.uart + register, width: 1)
      return nil
    case .get(let register): return machine.bus.load(BoardMap.uart + register, width: 1)
    case .claim: return machine.bus.load(plic + 0x20_0004, width: 4)
    case .complete(let source):
      _ = machine.bus.store(source, at: plic + 0x20_0004, width: 4)
      return nil
    }
  }

  /// In loopback, with its interrupt enabled.
  private static func start() throws -> Machine {
    let machine = try board()
    _ = machine.bus.store(1, at: plic + source * 4, width: 4)
    _ = machine.bus.store(1 << source, at: plic + 0x2000, width: 4)
    _ = machine.bus.store(0x10, at: BoardMap.uart + 4, width: 1)
    return machine
  }

  private static func sections(_ machine: Machine) -> MachineSections {
    MachineSections(machine: machine, cpus: [ParkedHart(hart: 0)])
  }

  @Test func inEveryStateItGoesOnElsewhereAsHere() throws {
    var (overruns, wraps) = (0, 0)
    for seed in 0..<2000 {
      var random = SeededGenerator(seed: UInt64(seed))
      let here = try Self.start()
      let steps = (0..<Int.random(in: 0..<120, using: &random)).map { _ in Self.step(&random) }
      for step in steps { _ = Self.perform(step, on: here) }
      let there = try board()
      try Self.sections(there).restore(Self.sections(here).save())
      #expect(Self.sections(there).save() == Self.sections(here).save(), "seed \(seed)")
      // All that it holds first, then whatever comes.
      let looks: [Step] = [2, 5, 1, 3, 4, 6, 7].map { .get($0) } + (0..<18).map { _ in .get(0) } + [.claim]
      for (index, step) in (looks + (0..<60).map { _ in Self.step(&random) }).enumerated() {
        let (one, other) = (Self.perform(step, on: here), Self.perform(step, on: there))
        guard one == other else {
          Issue.record("seed \(seed), \(index): \(step) is \(String(describing: other)), not \(one ?? 0)")
          break
        }
        if index == 1, let one, one & 2 != 0 { overruns += 1 }
        if index == 1, let one, one & 1 != 0, steps.count > 60 { wraps += 1 }
      }
    }
    #expect(overruns > 20 && wraps > 100)
  }
}
