public import FSRMachine
public import FSRState
import Synchronization

/// A hart in software: RV64IMAC in machine mode.
///
/// The lock is held for the whole of `run`, so it is free, and costs nothing, whenever the hart's thread is out
/// of it: that is when state is saved and restored.
public final class SoftCPU: VirtualCPU {
  public let hart: Int
  private let machine: Machine
  private let core: Mutex<HartCore>

  /// - Parameter hart: below `machine.harts`.
  public init(machine: Machine, hart: Int) {
    precondition((0..<machine.harts).contains(hart), "the machine has this hart")
    self.machine = machine
    self.hart = hart
    core = Mutex(HartCore(hart: hart))
  }

  /// Bytes of address space that a hart takes as it is made. Where they are not to be had the process ends.
  public static let room = UInt64(CodeCache.room)

  /// All harts of a machine, in order.
  public static func harts(of machine: Machine) -> [SoftCPU] {
    (0..<machine.harts).map { SoftCPU(machine: machine, hart: $0) }
  }

  public var instructions: UInt64 { machine.lines(of: hart).instructions.load(ordering: .relaxed) }

  public func run(budget: UInt64) -> CPUExit {
    core.withLock {
      let e = $0.run(machine, budget: budget)
      return e
    }
  }

  public func reset(entry: UInt64, deviceTree: UInt64) {
    core.withLock { core in
      core.powerOn()
      core.pc = entry
      core.x[10] = UInt64(hart)
      core.x[11] = deviceTree
    }
    tell(executed: 0)
  }

  public static var stateVersion: UInt16 { HartCore.stateVersion }

  public func save(to writer: inout ByteWriter) {
    core.withLock { $0.save(to: &writer) }
  }

  public func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    let executed = try core.withLock { (core) throws(StateError) in
      try core.restore(from: &reader, version: version)
      return core.executed
    }
    tell(executed: executed)
  }

  private func tell(executed: UInt64) {
    let lines = machine.lines(of: hart)
    lines.instructions.store(executed, ordering: .relaxed)
    lines.caught.store(0, ordering: .releasing)
  }
}
