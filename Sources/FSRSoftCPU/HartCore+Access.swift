import FSRMachine
import FSRMemory

extension HartCore {
  /// Raises the fault of an instruction that does not wholly lie in RAM; mtval is the part that does not.
  mutating func raiseFetchFault(_ pc: UInt64, _ memory: GuestMemory) -> UInt64 {
    let isLowThere = memory.contains(pc &- BoardMap.ram, count: 2)
    let handler = raise(Trap.instructionAccessFault, isLowThere ? pc &+ 2 : pc, at: pc)
    isCaught = handler == pc
    return handler
  }

  /// A load or store outside RAM: a device's, or a fault. Answers where to go on.
  mutating func accessSlowly(_ op: MicroOp, _ pc: UInt64, _ next: UInt64, _ machine: Machine) -> UInt64 {
    let address = x[Int(op.first)] &+ op.extended
    guard let access = Access(op.operation) else { preconditionFailure("only loads and stores come here") }
    if access.isStore {
      switch machine.bus.store(x[Int(op.second)], at: address, width: access.width) {
      case .done: endsSlice = true
      case .fault: return raise(Trap.storeAccessFault, Self.absent(address, machine.memory), at: pc)
      case .ended(let end):
        self.end = end
        endsSlice = true
      }
    } else {
      guard let value = machine.bus.load(address, width: access.width) else {
        return raise(Trap.loadAccessFault, Self.absent(address, machine.memory), at: pc)
      }
      x[Int(op.target & 63)] = access.extend(value)
    }
    return next
  }

  /// What mtval says of an access at `address` that nothing answers: where the part begins that is not there. An
  /// access that begins in RAM goes on beyond its end.
  private static func absent(_ address: UInt64, _ memory: GuestMemory) -> UInt64 {
    memory.contains(address &- BoardMap.ram, count: 1) ? BoardMap.ram + memory.size : address
  }
}

/// The width and kind of a load or store.
private struct Access {
  let width: Int
  let isStore: Bool
  let isSigned: Bool

  init?(_ operation: Operation) {
    switch operation {
    case .lb: self.init(1, isSigned: true)
    case .lh: self.init(2, isSigned: true)
    case .lw: self.init(4, isSigned: true)
    case .ld: self.init(8)
    case .lbu: self.init(1)
    case .lhu: self.init(2)
    case .lwu: self.init(4)
    case .sb: self.init(1, isStore: true)
    case .sh: self.init(2, isStore: true)
    case .sw: self.init(4, isStore: true)
    case .sd: self.init(8, isStore: true)
    default: return nil
    }
  }

  private init(_ width: Int, isStore: Bool = false, isSigned: Bool = false) {
    self.width = width
    self.isStore = isStore
    self.isSigned = isSigned
  }

  /// What a register gets of the loaded `value`.
  func extend(_ value: UInt64) -> UInt64 {
    let unused = UInt64(64 - width * 8)
    let high = value << unused
    return isSigned ? UInt64(bitPattern: Int64(bitPattern: high) >> Int64(unused)) : high >> unused
  }
}
