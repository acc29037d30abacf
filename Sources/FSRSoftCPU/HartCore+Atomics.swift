import FSRMachine
import FSRMemory
import Synchronization

extension HartCore {
  /// Load-reserved and store-conditional. A store-conditional that fails anyway does not look whether there is
  /// anything at its address.
  mutating func executeReserved(_ op: MicroOp, _ pc: UInt64, _ next: UInt64, _ memory: GuestMemory) -> UInt64
  {
    let address = x[Int(op.first)]
    let isDouble = op.operation == .lrd || op.operation == .scd
    let isLoad = op.operation == .lrd || op.operation == .lrw
    let width: UInt64 = isDouble ? 8 : 4
    guard address % width == 0 else {
      return raise(isLoad ? Trap.loadMisaligned : Trap.storeMisaligned, address, at: pc)
    }
    if isLoad {
      let offset = address &- BoardMap.ram
      guard memory.contains(offset, count: width) else {
        return raise(Trap.loadAccessFault, address, at: pc)
      }
      // As with the release bit, whether it is set or not: the stores before are seen before this load.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      let value =
        isDouble
        ? memory.atomicLoadRelaxed(offset, as: UInt64.self)
        : UInt64(bitPattern: Int64(Int32(bitPattern: memory.atomicLoadRelaxed(offset, as: UInt32.self))))
      atomicMemoryFence(ordering: .acquiring)
      reservation = Reservation(address: address, value: value)
      x[Int(op.target & 63)] = value
    } else {
      x[Int(op.target & 63)] = storeConditionally(x[Int(op.second)], address, isDouble, memory) ? 0 : 1
    }
    return next
  }

  /// Its width need not be that of the load-reserved, as long as both lie in RAM.
  private mutating func storeConditionally(
    _ value: UInt64, _ address: UInt64, _ isDouble: Bool, _ memory: GuestMemory
  ) -> Bool {
    defer { reservation = nil }
    let offset = address &- BoardMap.ram
    guard let held = reservation, held.address == address, memory.contains(offset, count: isDouble ? 8 : 4)
    else { return false }
    if isDouble {
      return memory.atomicCompareExchange(offset, expected: held.value, desired: value).exchanged
    }
    return memory.atomicCompareExchange(
      offset, expected: UInt32(truncatingIfNeeded: held.value), desired: UInt32(truncatingIfNeeded: value)
    ).exchanged
  }

  /// The AMOs: read, change, write, in one piece.
  mutating func executeAtomic(_ op: MicroOp, _ pc: UInt64, _ next: UInt64, _ memory: GuestMemory) -> UInt64 {
    let address = x[Int(op.first)]
    let isDouble = op.operation.rawValue >= Operation.amoswapd.rawValue
    let width: UInt64 = isDouble ? 8 : 4
    guard address % width == 0 else { return raise(Trap.storeMisaligned, address, at: pc) }
    let offset = address &- BoardMap.ram
    guard memory.contains(offset, count: width) else { return raise(Trap.storeAccessFault, address, at: pc) }
    let operand = x[Int(op.second)]
    let old: UInt64
    if isDouble {
      old = exchange(memory, offset) { Self.combineDouble(op.operation, $0, operand) }
    } else {
      let word = UInt32(truncatingIfNeeded: operand)
      let was = exchange(memory, offset) { Self.combineWord(op.operation, $0, word) }
      old = UInt64(bitPattern: Int64(Int32(bitPattern: was)))
    }
    x[Int(op.target & 63)] = old
    return next
  }

  @inline(__always)
  private func exchange<T: GuestWord>(_ memory: GuestMemory, _ offset: UInt64, _ change: (T) -> T) -> T {
    var seen: T = memory.atomicLoadRelaxed(offset)
    while true {
      let (exchanged, original) = memory.atomicCompareExchange(offset, expected: seen, desired: change(seen))
      if exchanged { return original }
      seen = original
    }
  }

  private static func combineWord(_ operation: Operation, _ old: UInt32, _ operand: UInt32) -> UInt32 {
    let (a, b) = (Int32(bitPattern: old), Int32(bitPattern: operand))
    switch operation {
    case .amoswapw: return operand
    case .amoaddw: return old &+ operand
    case .amoxorw: return old ^ operand
    case .amoandw: return old & operand
    case .amoorw: return old | operand
    case .amominw: return a < b ? old : operand
    case .amomaxw: return a > b ? old : operand
    case .amominuw: return min(old, operand)
    case .amomaxuw: return max(old, operand)
    default: preconditionFailure("only word AMOs come here")
    }
  }

  private static func combineDouble(_ operation: Operation, _ old: UInt64, _ operand: UInt64) -> UInt64 {
    let (a, b) = (Int64(bitPattern: old), Int64(bitPattern: operand))
    switch operation {
    case .amoswapd: return operand
    case .amoaddd: return old &+ operand
    case .amoxord: return old ^ operand
    case .amoandd: return old & operand
    case .amoord: return old | operand
    case .amomind: return a < b ? old : operand
    case .amomaxd: return a > b ? old : operand
    case .amominud: return min(old, operand)
    case .amomaxud: return max(old, operand)
    default: preconditionFailure("only double AMOs come here")
    }
  }
}
