import FSRMachine
import FSRMemory
import Synchronization

extension HartCore {
  @inline(__always)
  private func value(_ register: UInt8) -> UInt64 { x[Int(register & 63)] }

  @inline(__always)
  private mutating func set(_ op: MicroOp, _ value: UInt64) { x[Int(op.target & 63)] = value }

  @inline(__always)
  private mutating func setWord(_ op: MicroOp, _ value: UInt32) {
    set(op, UInt64(bitPattern: Int64(Int32(bitPattern: value))))
  }

  @inline(__always)
  private func word(_ register: UInt8) -> UInt32 { UInt32(truncatingIfNeeded: value(register)) }

  @inline(__always)
  private func signed(_ register: UInt8) -> Int64 { Int64(bitPattern: value(register)) }

  @inline(__always)
  private func offset(_ op: MicroOp) -> UInt64 { value(op.first) &+ op.extended &- BoardMap.ram }

  /// Runs `count` instructions at most; answers how many were begun.
  ///
  /// One switch over all operations: the compiler makes one jump of it, and everything that the loop needs
  /// stays in registers. Hence its length, and hence what is rare is elsewhere (`executeRare`, `accessSlowly`).
  /// Nothing in it allocates, counts references or checks exclusivity.
  mutating func runSlice(_ count: Int, _ machine: Machine, _ memory: GuestMemory) -> Int {
    var pc = self.pc
    var done = 0
    var limit = count
    // No page has an odd address: the first instruction finds its page.
    var page: UInt64 = 1
    var firstSlot = 0
    endsSlice = false
    while done < limit {
      var inPage = pc ^ page
      if inPage >= CodeCache.pageSize {
        page = pc & ~(CodeCache.pageSize - 1)
        firstSlot = cache.firstSlot(ofPage: page)
        inPage = pc ^ page
      }
      let slot = firstSlot &+ Int(truncatingIfNeeded: inPage &>> 1)
      let op = cache.slots[slot]
      let next = pc &+ op.length
      done &+= 1
      switch op.operation {
      case .undecoded:
        if let decoded = CodeCache.fetch(pc, memory) {
          cache.slots[slot] = decoded
          done &-= 1
        } else {
          pc = raiseFetchFault(pc, memory)
        }
      case .lui:
        set(op, op.extended)
        pc = next
      case .auipc:
        set(op, pc &+ op.extended)
        pc = next
      case .jal:
        set(op, next)
        pc = pc &+ op.extended
      case .jalr:
        let target = (value(op.first) &+ op.extended) & ~1
        set(op, next)
        pc = target
      case .beq:
        pc = value(op.first) == value(op.second) ? pc &+ op.extended : next
      case .bne:
        pc = value(op.first) != value(op.second) ? pc &+ op.extended : next
      case .blt:
        pc = signed(op.first) < signed(op.second) ? pc &+ op.extended : next
      case .bge:
        pc = signed(op.first) >= signed(op.second) ? pc &+ op.extended : next
      case .bltu:
        pc = value(op.first) < value(op.second) ? pc &+ op.extended : next
      case .bgeu:
        pc = value(op.first) >= value(op.second) ? pc &+ op.extended : next
      case .lb:
        if let loaded = memory.guestLoad(offset(op), as: UInt8.self) {
          set(op, UInt64(bitPattern: Int64(Int8(bitPattern: loaded))))
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .lh:
        if let loaded = memory.guestLoad(offset(op), as: UInt16.self) {
          set(op, UInt64(bitPattern: Int64(Int16(bitPattern: loaded))))
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .lw:
        if let loaded = memory.guestLoad(offset(op), as: UInt32.self) {
          set(op, UInt64(bitPattern: Int64(Int32(bitPattern: loaded))))
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .ld:
        if let loaded = memory.guestLoad(offset(op), as: UInt64.self) {
          set(op, loaded)
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .lbu:
        if let loaded = memory.guestLoad(offset(op), as: UInt8.self) {
          set(op, UInt64(loaded))
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .lhu:
        if let loaded = memory.guestLoad(offset(op), as: UInt16.self) {
          set(op, UInt64(loaded))
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .lwu:
        if let loaded = memory.guestLoad(offset(op), as: UInt32.self) {
          set(op, UInt64(loaded))
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .sb:
        if memory.guestStore(UInt8(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .sh:
        if memory.guestStore(UInt16(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .sw:
        if memory.guestStore(UInt32(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .sd:
        if memory.guestStore(UInt64(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          pc = next
        } else {
          pc = accessSlowly(op, pc, next, machine)
          if endsSlice { limit = 0 }
        }
      case .addi:
        set(op, value(op.first) &+ op.extended)
        pc = next
      case .slti:
        set(op, signed(op.first) < Int64(op.immediate) ? 1 : 0)
        pc = next
      case .sltiu:
        set(op, value(op.first) < op.extended ? 1 : 0)
        pc = next
      case .xori:
        set(op, value(op.first) ^ op.extended)
        pc = next
      case .ori:
        set(op, value(op.first) | op.extended)
        pc = next
      case .andi:
        set(op, value(op.first) & op.extended)
        pc = next
      case .slli:
        set(op, value(op.first) &<< op.extended)
        pc = next
      case .srli:
        set(op, value(op.first) &>> op.extended)
        pc = next
      case .srai:
        set(op, UInt64(bitPattern: signed(op.first) &>> Int64(op.immediate)))
        pc = next
      case .addiw:
        setWord(op, word(op.first) &+ UInt32(bitPattern: op.immediate))
        pc = next
      case .slliw:
        setWord(op, word(op.first) &<< UInt32(bitPattern: op.immediate))
        pc = next
      case .srliw:
        setWord(op, word(op.first) &>> UInt32(bitPattern: op.immediate))
        pc = next
      case .sraiw:
        setWord(op, UInt32(bitPattern: Int32(bitPattern: word(op.first)) &>> op.immediate))
        pc = next
      case .add:
        set(op, value(op.first) &+ value(op.second))
        pc = next
      case .sub:
        set(op, value(op.first) &- value(op.second))
        pc = next
      case .sll:
        set(op, value(op.first) &<< value(op.second))
        pc = next
      case .slt:
        set(op, signed(op.first) < signed(op.second) ? 1 : 0)
        pc = next
      case .sltu:
        set(op, value(op.first) < value(op.second) ? 1 : 0)
        pc = next
      case .xor:
        set(op, value(op.first) ^ value(op.second))
        pc = next
      case .srl:
        set(op, value(op.first) &>> value(op.second))
        pc = next
      case .sra:
        set(op, UInt64(bitPattern: signed(op.first) &>> signed(op.second)))
        pc = next
      case .or:
        set(op, value(op.first) | value(op.second))
        pc = next
      case .and:
        set(op, value(op.first) & value(op.second))
        pc = next
      case .addw:
        setWord(op, word(op.first) &+ word(op.second))
        pc = next
      case .subw:
        setWord(op, word(op.first) &- word(op.second))
        pc = next
      case .sllw:
        setWord(op, word(op.first) &<< word(op.second))
        pc = next
      case .srlw:
        setWord(op, word(op.first) &>> word(op.second))
        pc = next
      case .sraw:
        setWord(
          op, UInt32(bitPattern: Int32(bitPattern: word(op.first)) &>> Int32(bitPattern: word(op.second))))
        pc = next
      case .mul:
        set(op, value(op.first) &* value(op.second))
        pc = next
      case .mulh:
        set(op, UInt64(bitPattern: signed(op.first).multipliedFullWidth(by: signed(op.second)).high))
        pc = next
      case .mulhsu:
        set(op, Arithmetic.highSignedUnsigned(value(op.first), value(op.second)))
        pc = next
      case .mulhu:
        set(op, value(op.first).multipliedFullWidth(by: value(op.second)).high)
        pc = next
      case .div:
        set(op, UInt64(bitPattern: Arithmetic.quotient(signed(op.first), signed(op.second))))
        pc = next
      case .divu:
        set(op, Arithmetic.quotient(value(op.first), value(op.second)))
        pc = next
      case .rem:
        set(op, UInt64(bitPattern: Arithmetic.remainder(signed(op.first), signed(op.second))))
        pc = next
      case .remu:
        set(op, Arithmetic.remainder(value(op.first), value(op.second)))
        pc = next
      case .mulw:
        setWord(op, word(op.first) &* word(op.second))
        pc = next
      case .divw:
        setWord(
          op,
          UInt32(
            bitPattern: Arithmetic.quotient(
              Int32(bitPattern: word(op.first)), Int32(bitPattern: word(op.second)))))
        pc = next
      case .divuw:
        setWord(op, Arithmetic.quotient(word(op.first), word(op.second)))
        pc = next
      case .remw:
        setWord(
          op,
          UInt32(
            bitPattern: Arithmetic.remainder(
              Int32(bitPattern: word(op.first)), Int32(bitPattern: word(op.second)))))
        pc = next
      case .remuw:
        setWord(op, Arithmetic.remainder(word(op.first), word(op.second)))
        pc = next
      case .fence:
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        pc = next
      default:
        pc = executeRare(op, pc, next, done, machine)
        if endsSlice {
          limit = 0
          page = 1
        }
      }
    }
    self.pc = pc
    executed &+= UInt64(done)
    return done
  }
}
