import FSRMachine

extension HartCore {
  /// Executes what is not in the hot loop; answers where to go on. `begun` instructions of the slice were
  /// begun, this one included.
  mutating func executeRare(_ op: MicroOp, _ pc: UInt64, _ next: UInt64, _ begun: Int, _ machine: Machine)
    -> UInt64
  {
    switch op.operation {
    case .fencei:
      cache.drop()
      endsSlice = true
      return next
    case .ecall: return raise(Trap.machineCall, 0, at: pc)
    case .ebreak: return raise(Trap.breakpoint, 0, at: pc)
    case .mret:
      endsSlice = true
      reservation = nil
      return control.leave()
    case .wfi:
      isWaiting = true
      endsSlice = true
      return next
    case .csrrw, .csrrs, .csrrc, .csrrwi, .csrrsi, .csrrci:
      let before = executed &+ UInt64(begun) &- 1
      return executeControl(op, before, machine) ? next : raiseIllegal(op, pc)
    case .lrw, .lrd, .scw, .scd: return executeReserved(op, pc, next, machine.memory)
    case .illegal: return raiseIllegal(op, pc)
    default: return executeAtomic(op, pc, next, machine.memory)
    }
  }

  /// mtval holds the instruction's bits.
  private mutating func raiseIllegal(_ op: MicroOp, _ pc: UInt64) -> UInt64 {
    raise(Trap.illegalInstruction, UInt64(UInt32(bitPattern: op.immediate)), at: pc)
  }
}
