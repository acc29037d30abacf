extension Instruction {
  /// Bit `from` of `value`, moved to bit `to`.
  private static func bit(_ value: UInt32, _ from: UInt32, _ to: UInt32) -> UInt32 {
    (value >> from & 1) << to
  }

  /// Quadrant 1 or 2 with a whole register and a 6-bit immediate: c.addi, c.addiw, c.li, c.lui, c.slli.
  static func compressedImmediate(_ quadrant: UInt32, _ function: UInt32, rd: UInt32, _ value: Int)
    -> Instruction
  {
    let low = bits(value, 6)
    return Instruction(half: function << 13 | (low >> 5) << 12 | rd << 7 | (low & 31) << 2 | quadrant)
  }

  /// c.srli, c.srai, c.andi of x8 to x15, by `kind` 0 to 2.
  static func compressedShift(_ kind: UInt32, rd: UInt32, _ value: Int) -> Instruction {
    let low = bits(value, 6)
    return Instruction(
      half: 4 << 13 | (low >> 5) << 12 | kind << 10 | (rd & 7) << 7 | (low & 31) << 2 | 1)
  }

  /// c.sub, c.xor, c.or, c.and (0 to 3), c.subw, c.addw (4, 5) of x8 to x15.
  static func compressedArithmetic(_ kind: UInt32, rd: UInt32, rs2: UInt32) -> Instruction {
    Instruction(
      half: 4 << 13 | (kind >> 2) << 12 | 3 << 10 | (rd & 7) << 7 | (kind & 3) << 5 | (rs2 & 7) << 2 | 1)
  }

  /// c.mv, or c.add; neither register may be x0.
  static func compressedMove(adding: Bool, rd: UInt32, rs2: UInt32) -> Instruction {
    Instruction(half: 4 << 13 | (adding ? 1 : 0) << 12 | rd << 7 | rs2 << 2 | 2)
  }

  /// c.jr, or c.jalr.
  static func compressedJump(linking: Bool, rs1: UInt32) -> Instruction {
    Instruction(half: 4 << 13 | (linking ? 1 : 0) << 12 | rs1 << 7 | 2)
  }

  /// c.addi4spn; `value` is a multiple of 4, 4 to 1020.
  static func compressedStackAddress(rd: UInt32, _ value: Int) -> Instruction {
    let n = bits(value, 10)
    return Instruction(
      half: (n >> 4 & 3) << 11 | (n >> 6 & 15) << 7 | bit(n, 2, 6) | bit(n, 3, 5) | (rd & 7) << 2)
  }

  /// c.addi16sp; `value` is a multiple of 16, -512 to 496, and not 0.
  static func compressedStackMove(_ value: Int) -> Instruction {
    let n = bits(value, 10)
    return Instruction(
      half: 3 << 13 | bit(n, 9, 12) | 2 << 7 | bit(n, 4, 6) | bit(n, 6, 5) | (n >> 7 & 3) << 3 | bit(n, 5, 2)
        | 1)
  }

  /// c.lw, c.ld, c.sw, c.sd of x8 to x15; `offset` is a multiple of the width below 32 times it.
  static func compressedAccess(isStore: Bool, isDouble: Bool, register: UInt32, base: UInt32, _ offset: Int)
    -> Instruction
  {
    let n = bits(offset, 8)
    let function: UInt32 = (isStore ? 4 : 0) | (isDouble ? 3 : 2)
    let low = isDouble ? (n >> 6 & 3) << 5 : bit(n, 2, 6) | bit(n, 6, 5)
    return Instruction(
      half: function << 13 | (n >> 3 & 7) << 10 | (base & 7) << 7 | low | (register & 7) << 2)
  }

  /// c.lwsp, c.ldsp; `offset` is a multiple of the width below 64 times it.
  static func compressedStackLoad(isDouble: Bool, rd: UInt32, _ offset: Int) -> Instruction {
    let n = bits(offset, 9)
    let low = isDouble ? (n >> 3 & 3) << 5 | (n >> 6 & 7) << 2 : (n >> 2 & 7) << 4 | (n >> 6 & 3) << 2
    return Instruction(half: (isDouble ? 3 : 2) << 13 | bit(n, 5, 12) | rd << 7 | low | 2)
  }

  /// c.swsp, c.sdsp.
  static func compressedStackStore(isDouble: Bool, rs2: UInt32, _ offset: Int) -> Instruction {
    let n = bits(offset, 9)
    let middle = isDouble ? (n >> 3 & 7) << 10 | (n >> 6 & 7) << 7 : (n >> 2 & 15) << 9 | (n >> 6 & 3) << 7
    return Instruction(half: (isDouble ? 7 : 6) << 13 | middle | rs2 << 2 | 2)
  }

  /// c.j
  static func compressedJump(_ offset: Int) -> Instruction {
    let n = bits(offset, 12)
    let high = bit(n, 11, 12) | bit(n, 4, 11) | (n >> 8 & 3) << 9 | bit(n, 10, 8)
    return Instruction(
      half: 5 << 13 | high | bit(n, 6, 7) | bit(n, 7, 6) | (n >> 1 & 7) << 3 | bit(n, 5, 2) | 1)
  }

  /// c.beqz, or c.bnez, of x8 to x15.
  static func compressedBranch(ifZero: Bool, rs1: UInt32, _ offset: Int) -> Instruction {
    let n = bits(offset, 9)
    let high = bit(n, 8, 12) | (n >> 3 & 3) << 10
    let low = (n >> 6 & 3) << 5 | (n >> 1 & 3) << 3 | bit(n, 5, 2)
    return Instruction(half: (ifZero ? 6 : 7) << 13 | high | (rs1 & 7) << 7 | low | 1)
  }
}
