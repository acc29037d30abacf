/// One instruction's bytes, put together from its fields as the architecture's tables have them; nothing of it is
/// shared with the decoder under test.
struct Instruction {
  let bytes: [UInt8]

  /// A whole word.
  init(word: UInt32) {
    bytes = (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
  }

  /// A compressed one.
  init(half: UInt32) {
    bytes = [UInt8(truncatingIfNeeded: half), UInt8(truncatingIfNeeded: half >> 8)]
  }

  // MARK: the formats of words

  static func register(
    _ opcode: UInt32, _ function: UInt32, _ upper: UInt32, rd: UInt32, rs1: UInt32, rs2: UInt32
  ) -> Instruction {
    Instruction(word: upper << 25 | rs2 << 20 | rs1 << 15 | function << 12 | rd << 7 | opcode)
  }

  static func immediate(
    _ opcode: UInt32, _ function: UInt32, rd: UInt32, rs1: UInt32, _ value: Int
  ) -> Instruction {
    Instruction(word: bits(value, 12) << 20 | rs1 << 15 | function << 12 | rd << 7 | opcode)
  }

  static func store(_ function: UInt32, rs1: UInt32, rs2: UInt32, _ offset: Int) -> Instruction {
    let value = bits(offset, 12)
    return Instruction(
      word: (value >> 5) << 25 | rs2 << 20 | rs1 << 15 | function << 12 | (value & 31) << 7 | 0x23)
  }

  static func branch(_ function: UInt32, rs1: UInt32, rs2: UInt32, _ offset: Int) -> Instruction {
    let value = bits(offset, 13)
    let high = (value >> 12 & 1) << 31 | (value >> 5 & 0x3f) << 25
    let low = (value >> 1 & 15) << 8 | (value >> 11 & 1) << 7
    return Instruction(word: high | rs2 << 20 | rs1 << 15 | function << 12 | low | 0x63)
  }

  static func upper(_ opcode: UInt32, rd: UInt32, _ value: UInt32) -> Instruction {
    Instruction(word: value << 12 | rd << 7 | opcode)
  }

  static func jump(rd: UInt32, _ offset: Int) -> Instruction {
    let value = bits(offset, 21)
    let high = (value >> 20 & 1) << 31 | (value >> 1 & 0x3ff) << 21
    let low = (value >> 11 & 1) << 20 | (value >> 12 & 0xff) << 12
    return Instruction(word: high | low | rd << 7 | 0x6f)
  }

  static func addImmediate(rd: UInt32, rs1: UInt32, _ value: Int) -> Instruction {
    immediate(0x13, 0, rd: rd, rs1: rs1, value)
  }

  /// `five` names the operation.
  static func atomic(
    _ five: UInt32, isDouble: Bool, order: UInt32, rd: UInt32, rs1: UInt32, rs2: UInt32
  ) -> Instruction {
    register(0x2f, isDouble ? 3 : 2, five << 2 | order & 3, rd: rd, rs1: rs1, rs2: rs2)
  }

  /// The low `width` bits of a number in two's complement.
  static func bits(_ value: Int, _ width: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: value) & (1 << UInt32(width) - 1)
  }
}
