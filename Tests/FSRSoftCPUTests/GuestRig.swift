import FSRMachine
import FSRMemory
import FSRSoftCPU
import FSRState
import Foundation
import Synchronization

/// A guest clock that a test moves.
final class ManualClock: GuestClock {
  private let now = Atomic<UInt64>(0)
  var ticks: UInt64 { now.load(ordering: .relaxed) }
  func advance(by ticks: UInt64) { now.add(ticks, ordering: .relaxed) }
}

/// The host's time, for guests that run on threads.
struct HostClock: GuestClock {
  private let start = ContinuousClock.now
  var ticks: UInt64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return UInt64(seconds) * 10_000_000 + UInt64(attoseconds / 100_000_000_000)
  }
}

/// Keeps what the guest printed.
final class RecordingConsole: ConsoleSink {
  private let bytes = Mutex<[UInt8]>([])
  func write(_ byte: UInt8) { bytes.withLock { $0.append(byte) } }
  var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
}

/// Counts wakes; the rigs' threads look again instead of sleeping.
final class CountingWaker: WakesHarts {
  private let counts = Mutex([Int](repeating: 0, count: 16))
  func wake(hart: Int) { counts.withLock { $0[hart] += 1 } }
  func count(_ hart: Int) -> Int { counts.withLock { $0[hart] } }
}

/// A machine with software harts and everything around it under a test's control.
struct GuestRig {
  let memory: GuestMemory
  let clock: any GuestClock
  let console = RecordingConsole()
  let waker = CountingWaker()
  let machine: Machine
  let cpus: [SoftCPU]

  init(memory: GuestMemory, harts: Int = 1, clock: any GuestClock = ManualClock()) throws {
    self.memory = memory
    self.clock = clock
    machine = try Machine(memory: memory, harts: harts, clock: clock, console: console, waker: waker)
    cpus = SoftCPU.harts(of: machine)
  }

  init(_ elf: [UInt8], harts: Int = 1, megabytes: UInt64 = 1, clock: any GuestClock = ManualClock()) throws {
    try self.init(memory: GuestMemory(size: megabytes << 20), harts: harts, clock: clock)
    try machine.load(ELFImage(elf), cpus: cpus)
  }

  var sections: MachineSections { MachineSections(machine: machine, cpus: cpus) }

  /// Runs one hart for `budget` instructions at most.
  func run(_ budget: UInt64 = 1_000_000, hart: Int = 0) -> CPUExit { cpus[hart].run(budget: budget) }

  /// The registers of a hart that does not run.
  func registers(_ hart: Int = 0) throws -> HartRegisters { try HartRegisters(cpus[hart]) }

  /// Runs all harts, each on its own thread, until one ends the guest, or `isEnough` says so after some
  /// slice of one of them. Answers how the guest ended.
  func runThreads(until isEnough: @escaping @Sendable () -> Bool = { false }) -> GuestEnd? {
    let result = EndBox()
    let done = DispatchGroup()
    for cpu in cpus {
      done.enter()
      let machine = machine
      Thread.detachNewThread {
        while true {
          let exit = cpu.run(budget: 100_000)
          if case .ended(let end) = exit {
            result.end.withLock { $0 = $0 ?? end }
            machine.requestStop()
          }
          if exit == .stopped { break }
          if isEnough() { machine.requestStop() }
          if case .waiting = exit { sched_yield() }
        }
        done.leave()
      }
    }
    done.wait()
    machine.clearStop()
    return result.end.withLock { $0 }
  }

  private final class EndBox: Sendable { let end = Mutex<GuestEnd?>(nil) }
}

/// A hart's registers, taken from its saved state.
struct HartRegisters: Equatable {
  let pc: UInt64
  let x: [UInt64]
  let status, enabled, vector, scratch, exceptionPC, cause, value: UInt64
  let executed: UInt64
  let isWaiting: Bool

  init(_ cpu: SoftCPU) throws {
    var writer = ByteWriter()
    cpu.save(to: &writer)
    var reader = ByteReader(writer.bytes)
    _ = try reader.read(UInt16.self)
    pc = try reader.read()
    var registers: [UInt64] = [0]
    for _ in 1..<32 { registers.append(try reader.read()) }
    x = registers
    status = try reader.read()
    enabled = try reader.read()
    vector = try reader.read()
    scratch = try reader.read()
    exceptionPC = try reader.read()
    cause = try reader.read()
    value = try reader.read()
    executed = try reader.read()
    _ = try reader.read(UInt64.self)
    _ = try reader.read(UInt64.self)
    isWaiting = try reader.readBool()
    try reader.finish()
  }

  subscript(_ name: String) -> UInt64 {
    let names = [
      "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6",
      "a7",
      "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    ]
    return x[names.firstIndex(of: name)!]
  }
}
