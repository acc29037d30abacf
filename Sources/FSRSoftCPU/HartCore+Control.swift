import FSRMachine

extension HartCore {
  /// A CSR instruction; answers false where it is illegal. `before` instructions were begun before it.
  mutating func executeControl(_ op: MicroOp, _ before: UInt64, _ machine: Machine) -> Bool {
    let number = UInt32(bitPattern: op.immediate) >> 20
    let isImmediate = op.operation.rawValue >= Operation.csrrwi.rawValue
    let operand = isImmediate ? UInt64(op.second) : x[Int(op.first)]
    let isSwap = op.operation == .csrrw || op.operation == .csrrwi
    // Setting or clearing by x0, or by 0, does not write.
    let writes = isSwap || op.first != 0
    // The top two bits of the number say that it is read-only.
    if writes, number >> 10 == 3 { return false }
    guard let old = readControl(number, before, machine) else { return false }
    if writes {
      let new: UInt64
      switch op.operation {
      case .csrrs, .csrrsi: new = old | operand
      case .csrrc, .csrrci: new = old & ~operand
      default: new = operand
      }
      writeControl(number, new, before)
    }
    x[Int(op.target & 63)] = old
    return true
  }

  private mutating func readControl(_ number: UInt32, _ before: UInt64, _ machine: Machine) -> UInt64? {
    switch number {
    case 0x300: return control.readableStatus
    case 0x301: return ControlRegisters.isa
    case 0x304: return control.enabled
    case 0x305: return control.vector
    // No counter can be stopped, and none beyond the first three counts.
    case 0x320, 0x323...0x33f: return 0
    case 0x340: return control.scratch
    case 0x341: return control.exceptionPC
    case 0x342: return control.cause
    case 0x343: return control.value
    case 0x344: return pendingNow(machine)
    // tselect and its data: there is no trigger, which is what a constant 0 says.
    case 0x7a0...0x7a3: return 0
    case 0xb00, 0xc00: return before &+ cycleOffset
    case 0xb02, 0xc02: return before &+ retiredOffset
    case 0xc01: return machine.clint.time
    case 0xb03...0xb1f, 0xc03...0xc1f: return 0
    // mvendorid, marchid, mimpid, mconfigptr: 0, which says that this hart does not tell.
    case 0xf11...0xf13, 0xf15: return 0
    case 0xf14: return UInt64(hart)
    default: return nil
    }
  }

  /// Writes a CSR that `readControl` knows; what cannot be written keeps its value.
  private mutating func writeControl(_ number: UInt32, _ value: UInt64, _ before: UInt64) {
    switch number {
    case 0x300: control.setStatus(value)
    case 0x304: control.setEnabled(value)
    case 0x305: control.setVector(value)
    case 0x340: control.scratch = value
    case 0x341: control.setExceptionPC(value)
    case 0x342: control.setCause(value)
    case 0x343: control.setValue(value)
    // The next instruction is the first to see the new count.
    case 0xb00: cycleOffset = value &- before &- 1
    case 0xb02: retiredOffset = value &- before &- 1
    default: break
    }
    // What was enabled now is taken before the next instruction.
    if number == 0x300 || number == 0x304 { endsSlice = true }
  }
}
