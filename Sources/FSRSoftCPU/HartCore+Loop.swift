import FSRMachine
import FSRMemory
import Synchronization

/// Where a hart is in the predecoded code. The slot is its program counter: in straight code nothing else
/// moves, and the address is made from it when somebody asks.
struct CodePosition {
  /// The page's address.
  var page: UInt64
  /// The page's first slot.
  var first: Int
  /// The next instruction's slot.
  var slot: Int

  @inline(__always) var pc: UInt64 { page &+ UInt64(bitPattern: Int64(slot &- first)) &<< 1 }
}

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

  @inline(__always)
  private mutating func jump(to pc: UInt64, _ position: inout CodePosition) {
    let inPage = pc ^ position.page
    if inPage < CodeCache.pageSize {
      position.slot = position.first &+ Int(truncatingIfNeeded: inPage &>> 1)
    } else {
      position = newPage(pc)
    }
  }

  /// Answers by value: a position whose address is taken would be kept in memory.
  @inline(never)
  private mutating func newPage(_ pc: UInt64) -> CodePosition {
    let page = pc & ~(CodeCache.pageSize - 1)
    let first = cache.firstSlot(ofPage: page)
    return CodePosition(page: page, first: first, slot: first &+ Int(pc % CodeCache.pageSize / 2))
  }

  /// Runs `count` instructions at most; answers how many were begun.
  ///
  /// One switch over all operations: the compiler makes one jump of it, and everything that the loop needs
  /// stays in registers. Hence its length, and hence what is rare is elsewhere (`executeRare`, `accessSlowly`).
  /// Nothing in it allocates, counts references or checks exclusivity.
  mutating func runSlice(_ count: Int, _ machine: Machine, _ memory: GuestMemory) -> Int {
    var position = newPage(pc)
    var left = count
    // What is not to be run of the slice, once something ends it.
    var unused = 0
    endsSlice = false
    while left > 0 {
      let op = cache.slots[position.slot]
      switch op.operation {
      case .undecoded:
        let pc = position.pc
        if let decoded = CodeCache.fetch(pc, memory) {
          cache.slots[position.slot] = decoded
          continue
        } else {
          jump(to: raiseFetchFault(pc, memory), &position)
        }
      case .pageEnd:
        position = newPage(position.pc)
        continue
      case .lui:
        set(op, op.extended)
        position.slot &+= Int(op.length &>> 1)
      case .auipc:
        set(op, position.pc &+ op.extended)
        position.slot &+= 2
      case .jal:
        let pc = position.pc
        set(op, pc &+ op.length)
        jump(to: pc &+ op.extended, &position)
      case .jalr:
        let target = (value(op.first) &+ op.extended) & ~1
        set(op, position.pc &+ op.length)
        jump(to: target, &position)
      case .beq:
        if value(op.first) == value(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 2
        }
      case .bne:
        if value(op.first) != value(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 2
        }
      case .blt:
        if signed(op.first) < signed(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 2
        }
      case .bge:
        if signed(op.first) >= signed(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 2
        }
      case .bltu:
        if value(op.first) < value(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 2
        }
      case .bgeu:
        if value(op.first) >= value(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 2
        }
      case .lb:
        if let loaded = memory.guestLoad(offset(op), as: UInt8.self) {
          set(op, UInt64(bitPattern: Int64(Int8(bitPattern: loaded))))
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .lh:
        if let loaded = memory.guestLoad(offset(op), as: UInt16.self) {
          set(op, UInt64(bitPattern: Int64(Int16(bitPattern: loaded))))
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .lw:
        if let loaded = memory.guestLoad(offset(op), as: UInt32.self) {
          set(op, UInt64(bitPattern: Int64(Int32(bitPattern: loaded))))
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .ld:
        if let loaded = memory.guestLoad(offset(op), as: UInt64.self) {
          set(op, loaded)
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .lbu:
        if let loaded = memory.guestLoad(offset(op), as: UInt8.self) {
          set(op, UInt64(loaded))
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .lhu:
        if let loaded = memory.guestLoad(offset(op), as: UInt16.self) {
          set(op, UInt64(loaded))
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .lwu:
        if let loaded = memory.guestLoad(offset(op), as: UInt32.self) {
          set(op, UInt64(loaded))
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .sb:
        if memory.guestStore(UInt8(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .sh:
        if memory.guestStore(UInt16(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .sw:
        if memory.guestStore(UInt32(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .sd:
        if memory.guestStore(UInt64(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          position.slot &+= 2
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .addi:
        set(op, value(op.first) &+ op.extended)
        position.slot &+= 2
      case .slti:
        set(op, signed(op.first) < Int64(op.immediate) ? 1 : 0)
        position.slot &+= 2
      case .sltiu:
        set(op, value(op.first) < op.extended ? 1 : 0)
        position.slot &+= 2
      case .xori:
        set(op, value(op.first) ^ op.extended)
        position.slot &+= 2
      case .ori:
        set(op, value(op.first) | op.extended)
        position.slot &+= 2
      case .andi:
        set(op, value(op.first) & op.extended)
        position.slot &+= 2
      case .slli:
        set(op, value(op.first) &<< op.extended)
        position.slot &+= 2
      case .srli:
        set(op, value(op.first) &>> op.extended)
        position.slot &+= 2
      case .srai:
        set(op, UInt64(bitPattern: signed(op.first) &>> Int64(op.immediate)))
        position.slot &+= 2
      case .addiw:
        setWord(op, word(op.first) &+ UInt32(bitPattern: op.immediate))
        position.slot &+= 2
      case .slliw:
        setWord(op, word(op.first) &<< UInt32(bitPattern: op.immediate))
        position.slot &+= 2
      case .srliw:
        setWord(op, word(op.first) &>> UInt32(bitPattern: op.immediate))
        position.slot &+= 2
      case .sraiw:
        setWord(op, UInt32(bitPattern: Int32(bitPattern: word(op.first)) &>> op.immediate))
        position.slot &+= 2
      case .add:
        set(op, value(op.first) &+ value(op.second))
        position.slot &+= 2
      case .sub:
        set(op, value(op.first) &- value(op.second))
        position.slot &+= 2
      case .sll:
        set(op, value(op.first) &<< value(op.second))
        position.slot &+= 2
      case .slt:
        set(op, signed(op.first) < signed(op.second) ? 1 : 0)
        position.slot &+= 2
      case .sltu:
        set(op, value(op.first) < value(op.second) ? 1 : 0)
        position.slot &+= 2
      case .xor:
        set(op, value(op.first) ^ value(op.second))
        position.slot &+= 2
      case .srl:
        set(op, value(op.first) &>> value(op.second))
        position.slot &+= 2
      case .sra:
        set(op, UInt64(bitPattern: signed(op.first) &>> signed(op.second)))
        position.slot &+= 2
      case .or:
        set(op, value(op.first) | value(op.second))
        position.slot &+= 2
      case .and:
        set(op, value(op.first) & value(op.second))
        position.slot &+= 2
      case .addw:
        setWord(op, word(op.first) &+ word(op.second))
        position.slot &+= 2
      case .subw:
        setWord(op, word(op.first) &- word(op.second))
        position.slot &+= 2
      case .sllw:
        setWord(op, word(op.first) &<< word(op.second))
        position.slot &+= 2
      case .srlw:
        setWord(op, word(op.first) &>> word(op.second))
        position.slot &+= 2
      case .sraw:
        setWord(
          op, UInt32(bitPattern: Int32(bitPattern: word(op.first)) &>> Int32(bitPattern: word(op.second))))
        position.slot &+= 2
      case .mul:
        set(op, value(op.first) &* value(op.second))
        position.slot &+= 2
      case .mulh:
        set(op, UInt64(bitPattern: signed(op.first).multipliedFullWidth(by: signed(op.second)).high))
        position.slot &+= 2
      case .mulhsu:
        set(op, Arithmetic.highSignedUnsigned(value(op.first), value(op.second)))
        position.slot &+= 2
      case .mulhu:
        set(op, value(op.first).multipliedFullWidth(by: value(op.second)).high)
        position.slot &+= 2
      case .div:
        set(op, UInt64(bitPattern: Arithmetic.quotient(signed(op.first), signed(op.second))))
        position.slot &+= 2
      case .divu:
        set(op, Arithmetic.quotient(value(op.first), value(op.second)))
        position.slot &+= 2
      case .rem:
        set(op, UInt64(bitPattern: Arithmetic.remainder(signed(op.first), signed(op.second))))
        position.slot &+= 2
      case .remu:
        set(op, Arithmetic.remainder(value(op.first), value(op.second)))
        position.slot &+= 2
      case .mulw:
        setWord(op, word(op.first) &* word(op.second))
        position.slot &+= 2
      case .divw:
        setWord(
          op,
          UInt32(
            bitPattern: Arithmetic.quotient(
              Int32(bitPattern: word(op.first)), Int32(bitPattern: word(op.second)))))
        position.slot &+= 2
      case .divuw:
        setWord(op, Arithmetic.quotient(word(op.first), word(op.second)))
        position.slot &+= 2
      case .remw:
        setWord(
          op,
          UInt32(
            bitPattern: Arithmetic.remainder(
              Int32(bitPattern: word(op.first)), Int32(bitPattern: word(op.second)))))
        position.slot &+= 2
      case .remuw:
        setWord(op, Arithmetic.remainder(word(op.first), word(op.second)))
        position.slot &+= 2
      case .fence:
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        position.slot &+= 2
      case .cbeq:
        if value(op.first) == value(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 1
        }
      case .cbne:
        if value(op.first) != value(op.second) {
          jump(to: position.pc &+ op.extended, &position)
        } else {
          position.slot &+= 1
        }
      case .clw:
        if let loaded = memory.guestLoad(offset(op), as: UInt32.self) {
          set(op, UInt64(bitPattern: Int64(Int32(bitPattern: loaded))))
          position.slot &+= 1
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .cld:
        if let loaded = memory.guestLoad(offset(op), as: UInt64.self) {
          set(op, loaded)
          position.slot &+= 1
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .csw:
        if memory.guestStore(UInt32(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          position.slot &+= 1
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .csd:
        if memory.guestStore(UInt64(truncatingIfNeeded: value(op.second)), at: offset(op)) {
          position.slot &+= 1
        } else {
          let pc = position.pc
          jump(to: accessSlowly(op, pc, pc &+ op.length, machine), &position)
          if endsSlice { (unused, left) = (left &- 1, 1) }
        }
      case .caddi:
        set(op, value(op.first) &+ op.extended)
        position.slot &+= 1
      case .candi:
        set(op, value(op.first) & op.extended)
        position.slot &+= 1
      case .cslli:
        set(op, value(op.first) &<< op.extended)
        position.slot &+= 1
      case .csrli:
        set(op, value(op.first) &>> op.extended)
        position.slot &+= 1
      case .csrai:
        set(op, UInt64(bitPattern: signed(op.first) &>> Int64(op.immediate)))
        position.slot &+= 1
      case .caddiw:
        setWord(op, word(op.first) &+ UInt32(bitPattern: op.immediate))
        position.slot &+= 1
      case .cadd:
        set(op, value(op.first) &+ value(op.second))
        position.slot &+= 1
      case .csub:
        set(op, value(op.first) &- value(op.second))
        position.slot &+= 1
      case .cxor:
        set(op, value(op.first) ^ value(op.second))
        position.slot &+= 1
      case .cor:
        set(op, value(op.first) | value(op.second))
        position.slot &+= 1
      case .cand:
        set(op, value(op.first) & value(op.second))
        position.slot &+= 1
      case .caddw:
        setWord(op, word(op.first) &+ word(op.second))
        position.slot &+= 1
      case .csubw:
        setWord(op, word(op.first) &- word(op.second))
        position.slot &+= 1
      default:
        let pc = position.pc
        jump(to: executeRare(op, pc, pc &+ op.length, count &- left &+ 1, machine), &position)
        if endsSlice { (unused, left) = (left &- 1, 1) }
      }
      left &-= 1
    }
    pc = position.pc
    let begun = count &- unused
    executed &+= UInt64(begun)
    return begun
  }
}
