public import FSRMachine
public import FSRMemory
public import FSRSoftCPU
public import FSRState
import Foundation
import Synchronization

/// A machine with software harts and everything around it under a test's control.
public struct GuestRig {
  public let memory: GuestMemory
  public let clock: any GuestClock
  public let console = RecordingConsole()
  public let waker = CountingWaker()
  public let machine: Machine
  public let cpus: [SoftCPU]

  public init(memory: GuestMemory, harts: Int = 1, clock: any GuestClock = ManualClock()) throws {
    self.memory = memory
    self.clock = clock
    machine = try Machine(memory: memory, harts: harts, clock: clock, console: console, waker: waker)
    cpus = SoftCPU.harts(of: machine)
  }

  public init(_ elf: [UInt8], harts: Int = 1, megabytes: UInt64 = 1, clock: any GuestClock = ManualClock())
    throws
  {
    try self.init(memory: GuestMemory(size: megabytes << 20), harts: harts, clock: clock)
    try machine.load(ELFImage(elf), cpus: cpus)
  }

  public var sections: MachineSections { MachineSections(machine: machine, cpus: cpus) }

  /// Runs one hart for `budget` instructions at most.
  public func run(_ budget: UInt64 = 1_000_000, hart: Int = 0) -> CPUExit { cpus[hart].run(budget: budget) }

  /// The registers of a hart that does not run.
  public func registers(_ hart: Int = 0) throws -> HartRegisters { try HartRegisters(cpus[hart]) }

  /// Runs all harts, each on its own thread, until one ends the guest, or `isEnough` says so after some
  /// slice of one of them. Answers how the guest ended.
  public func runThreads(until isEnough: @escaping @Sendable () -> Bool = { false }) -> GuestEnd? {
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
