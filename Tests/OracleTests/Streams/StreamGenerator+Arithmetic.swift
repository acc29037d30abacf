extension StreamGenerator {
  /// An operation on whole registers, of I or M, or with an immediate.
  mutating func arithmetic() -> [UInt8] {
    let (rd, rs1, rs2) = (target(), source(), source())
    switch number(0...9) {
    case 0...2: return Instruction.register(0x33, bits(3), 1, rd: rd, rs1: rs1, rs2: rs2).bytes
    case 3:
      let function: UInt32 = oneOf([0, 4, 5, 6, 7])
      return Instruction.register(0x3b, function, 1, rd: rd, rs1: rs1, rs2: rs2).bytes
    case 4:
      let (function, upper): (UInt32, UInt32) = oneOf([(0, 0), (0, 0x20), (1, 0), (5, 0), (5, 0x20)])
      return Instruction.register(0x3b, function, upper, rd: rd, rs1: rs1, rs2: rs2).bytes
    case 5:
      let function = bits(3)
      let isOther = (function == 0 || function == 5) && coin()
      return Instruction.register(0x33, function, isOther ? 0x20 : 0, rd: rd, rs1: rs1, rs2: rs2).bytes
    case 6:
      let function: UInt32 = oneOf([0, 2, 3, 4, 6, 7])
      return Instruction.immediate(0x13, function, rd: rd, rs1: rs1, immediate(12)).bytes
    case 7: return shift(rd, rs1)
    case 8: return Instruction.immediate(0x1b, 0, rd: rd, rs1: rs1, immediate(12)).bytes
    default:
      let value = UInt32(truncatingIfNeeded: immediate(20)) & 0xfffff
      return Instruction.upper(oneOf([0x37, 0x17]), rd: rd, value).bytes
    }
  }

  private mutating func shift(_ rd: UInt32, _ rs1: UInt32) -> [UInt8] {
    let (function, upper): (UInt32, UInt32) = oneOf([(1, 0), (5, 0), (5, 0x20)])
    let isWord = coin()
    let count: UInt32 = oneOf([0, 1, 31, isWord ? 30 : 32, isWord ? 16 : 63, bits(isWord ? 5 : 6)])
    // A count of six bits takes the lowest one of the upper seven.
    let word =
      upper << 25 | count << 20 | rs1 << 15 | function << 12 | rd << 7 | (isWord ? 0x1b : 0x13)
    return Instruction(word: word).bytes
  }

  /// Those of two bytes that neither jump nor touch memory.
  mutating func compressedArithmetic() -> [UInt8] {
    switch number(0...10) {
    case 0: return Instruction.compressedImmediate(1, 0, rd: target(), immediate(6)).bytes
    case 1: return Instruction.compressedImmediate(1, 1, rd: realTarget(), immediate(6)).bytes
    case 2: return Instruction.compressedImmediate(1, 2, rd: target(), immediate(6)).bytes
    case 3:
      let rd = target()
      let value = immediate(6)
      // To x2, and by 0, it is another instruction.
      return Instruction.compressedImmediate(1, 3, rd: rd == 2 ? 0 : rd, value == 0 ? 31 : value).bytes
    case 4: return Instruction.compressedImmediate(2, 0, rd: target(), immediate(6)).bytes
    case 5: return Instruction.compressedShift(bits(1), rd: smallTarget(), immediate(6)).bytes
    case 6: return Instruction.compressedShift(2, rd: smallTarget(), immediate(6)).bytes
    case 7:
      let kind = UInt32(number(0...5))
      return Instruction.compressedArithmetic(kind, rd: smallTarget(), rs2: smallSource()).bytes
    case 8:
      let rs2 = source()
      return Instruction.compressedMove(adding: coin(), rd: realTarget(), rs2: rs2 == 0 ? 1 : rs2).bytes
    case 9: return Instruction.compressedStackAddress(rd: smallTarget(), 4 * number(1...255)).bytes
    default:
      let value = number(-32...31)
      if reserved.contains(2) || value == 0 { return Instruction(half: 1).bytes }
      return Instruction.compressedStackMove(16 * value).bytes
    }
  }

  /// A CSR that holds something, or one that only tells.
  mutating func control() -> [UInt8] {
    // Of those that hold something, mtval and mcause are nobody else's; the others are read.
    let function: UInt32 = oneOf([1, 2, 3, 5, 6, 7])
    if number(0...3) > 0 {
      let number: Int = oneOf([0x343, 0x342])
      return Instruction.immediate(0x73, function, rd: target(), rs1: source(), number).bytes
    }
    let number: Int = oneOf([0x301, 0x304, 0x305, 0x340, 0xf14])
    return Instruction.immediate(0x73, oneOf([2, 3, 6, 7]), rd: target(), rs1: 0, number).bytes
  }

  /// Something that traps.
  mutating func trap() -> [UInt8] {
    switch number(0...7) {
    case 0: return Instruction(word: 0x0000_0073).bytes
    case 1: return Instruction(word: 0x0010_0073).bytes
    case 2: return Instruction(half: 0x9002).bytes
    case 3:
      let opcode: UInt32 = oneOf([0x07, 0x27, 0x43, 0x47, 0x4b, 0x4f, 0x53, 0x57, 0x5b, 0x6b, 0x77, 0x1f])
      return Instruction(word: bits(25) << 7 | opcode).bytes
    case 4:
      // Floating point, the reserved ones, and nothing.
      let half: UInt32 = oneOf([0x2000, 0xa000, 0x2002, 0xa002, 0x8000])
      return Instruction(half: half | bits(11) << 2).bytes
    case 5: return Instruction(half: oneOf([0x0000, 0x4002, 0x6002, 0x8002, 0x6081, 0x2001, 0x9c41])).bytes
    case 6: return coin() ? absentLoad() : absentStore()
    default:
      let number: Int = oneOf([0x180, 0x7c0, 0x5c0, 0xfff, 0x001, 0x003, 0x100, 0x106])
      let function: UInt32 = oneOf([1, 2, 3, 5, 6, 7])
      return Instruction.immediate(0x73, function, rd: target(), rs1: source(), number).bytes
    }
  }

  /// Where nothing is: on both sides of address 0. Aligned, since QEMU 7.2 makes two aligned loads of another one,
  /// and names the first one's address.
  private mutating func absentLoad() -> [UInt8] {
    let function = UInt32(number(0...6))
    let aligned = immediate(12) & -(1 << Int(function & 3))
    return Instruction.immediate(0x03, function, rd: target(), rs1: 0, aligned).bytes
  }

  private mutating func absentStore() -> [UInt8] {
    Instruction.store(bits(2), rs1: 0, rs2: source(), immediate(12)).bytes
  }
}
