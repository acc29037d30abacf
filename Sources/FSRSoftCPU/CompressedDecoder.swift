/// Decodes the 16-bit instructions of RV64C. Those of floating point are illegal here.
enum CompressedDecoder {
  /// Decodes the low 16 bits; the caller marks the length.
  static func decode(_ bits: UInt32) -> MicroOp {
    switch bits & 3 {
    case 0: return quadrant0(bits)
    case 1: return quadrant1(bits)
    default: return quadrant2(bits)
    }
  }

  private static func illegal(_ bits: UInt32) -> MicroOp { Decoder.illegal(bits) }

  /// Bits `high` to `low` of `bits`, moved to `position`.
  private static func field(_ bits: UInt32, _ high: UInt32, _ low: UInt32, to position: UInt32) -> UInt32 {
    (bits >> low & (1 << (high - low + 1) - 1)) << position
  }

  /// The low `width` bits of `value`, sign-extended.
  private static func signed(_ value: UInt32, _ width: UInt32) -> Int32 {
    Int32(bitPattern: value << (32 - width)) >> Int32(32 - width)
  }

  /// The 6-bit immediate of most: bit 12 and bits 6 to 2.
  private static func immediate(_ bits: UInt32) -> Int32 { signed(shift(bits), 6) }

  private static func shift(_ bits: UInt32) -> UInt32 {
    field(bits, 12, 12, to: 5) | field(bits, 6, 2, to: 0)
  }

  private static func quadrant0(_ bits: UInt32) -> MicroOp {
    // Three-bit fields name x8 to x15.
    let low = field(bits, 4, 2, to: 0) + 8
    let high = field(bits, 9, 7, to: 0) + 8
    let word = field(bits, 12, 10, to: 3) | field(bits, 6, 6, to: 2) | field(bits, 5, 5, to: 6)
    let double = field(bits, 12, 10, to: 3) | field(bits, 6, 5, to: 6)
    switch bits >> 13 {
    case 0:
      let offset =
        field(bits, 12, 11, to: 4) | field(bits, 10, 7, to: 6) | field(bits, 6, 6, to: 2)
        | field(bits, 5, 5, to: 3)
      return offset == 0 ? illegal(bits) : MicroOp(.addi, rd: low, rs1: 2, Int32(offset))
    case 2: return MicroOp(.lw, rd: low, rs1: high, Int32(word))
    case 3: return MicroOp(.ld, rd: low, rs1: high, Int32(double))
    case 6: return MicroOp(.sw, rs1: high, rs2: low, Int32(word))
    case 7: return MicroOp(.sd, rs1: high, rs2: low, Int32(double))
    default: return illegal(bits)
    }
  }

  private static func quadrant1(_ bits: UInt32) -> MicroOp {
    let rd = bits >> 7 & 31
    let high = field(bits, 9, 7, to: 0) + 8
    switch bits >> 13 {
    case 0: return MicroOp(.addi, rd: rd, rs1: rd, immediate(bits))
    case 1: return rd == 0 ? illegal(bits) : MicroOp(.addiw, rd: rd, rs1: rd, immediate(bits))
    case 2: return MicroOp(.addi, rd: rd, immediate(bits))
    case 3: return upperImmediate(bits, rd)
    case 4: return arithmetic(bits)
    case 5: return MicroOp(.jal, jumpOffset(bits))
    case 6: return MicroOp(.beq, rs1: high, branchOffset(bits))
    default: return MicroOp(.bne, rs1: high, branchOffset(bits))
    }
  }

  private static func upperImmediate(_ bits: UInt32, _ rd: UInt32) -> MicroOp {
    if immediate(bits) == 0 { return illegal(bits) }
    guard rd == 2 else { return MicroOp(.lui, rd: rd, immediate(bits) << 12) }
    let offset =
      field(bits, 12, 12, to: 9) | field(bits, 6, 6, to: 4) | field(bits, 5, 5, to: 6)
      | field(bits, 4, 3, to: 7) | field(bits, 2, 2, to: 5)
    return MicroOp(.addi, rd: 2, rs1: 2, signed(offset, 10))
  }

  private static func arithmetic(_ bits: UInt32) -> MicroOp {
    let rd = field(bits, 9, 7, to: 0) + 8
    let rs2 = field(bits, 4, 2, to: 0) + 8
    switch bits >> 10 & 3 {
    case 0: return MicroOp(.srli, rd: rd, rs1: rd, Int32(shift(bits)))
    case 1: return MicroOp(.srai, rd: rd, rs1: rd, Int32(shift(bits)))
    case 2: return MicroOp(.andi, rd: rd, rs1: rd, immediate(bits))
    default: break
    }
    let operations: [Operation?] = [.sub, .xor, .or, .and, .subw, .addw, nil, nil]
    let index = Int(field(bits, 12, 12, to: 2) | field(bits, 6, 5, to: 0))
    guard let operation = operations[index] else { return illegal(bits) }
    return MicroOp(operation, rd: rd, rs1: rd, rs2: rs2)
  }

  private static func jumpOffset(_ bits: UInt32) -> Int32 {
    let high = field(bits, 12, 12, to: 11) | field(bits, 11, 11, to: 4) | field(bits, 10, 9, to: 8)
    let low =
      field(bits, 8, 8, to: 10) | field(bits, 7, 7, to: 6) | field(bits, 6, 6, to: 7)
      | field(bits, 5, 3, to: 1) | field(bits, 2, 2, to: 5)
    return signed(high | low, 12)
  }

  private static func branchOffset(_ bits: UInt32) -> Int32 {
    let offset =
      field(bits, 12, 12, to: 8) | field(bits, 11, 10, to: 3) | field(bits, 6, 5, to: 6)
      | field(bits, 4, 3, to: 1) | field(bits, 2, 2, to: 5)
    return signed(offset, 9)
  }

  private static func quadrant2(_ bits: UInt32) -> MicroOp {
    let rd = bits >> 7 & 31
    let rs2 = bits >> 2 & 31
    switch bits >> 13 {
    case 0: return MicroOp(.slli, rd: rd, rs1: rd, Int32(shift(bits)))
    case 2 where rd != 0:
      let offset = field(bits, 12, 12, to: 5) | field(bits, 6, 4, to: 2) | field(bits, 3, 2, to: 6)
      return MicroOp(.lw, rd: rd, rs1: 2, Int32(offset))
    case 3 where rd != 0:
      let offset = field(bits, 12, 12, to: 5) | field(bits, 6, 5, to: 3) | field(bits, 4, 2, to: 6)
      return MicroOp(.ld, rd: rd, rs1: 2, Int32(offset))
    case 4: return jumpOrMove(bits, rd, rs2)
    case 6: return MicroOp(.sw, rs1: 2, rs2: rs2, Int32(field(bits, 12, 9, to: 2) | field(bits, 8, 7, to: 6)))
    case 7:
      return MicroOp(.sd, rs1: 2, rs2: rs2, Int32(field(bits, 12, 10, to: 3) | field(bits, 9, 7, to: 6)))
    default: return illegal(bits)
    }
  }

  private static func jumpOrMove(_ bits: UInt32, _ rd: UInt32, _ rs2: UInt32) -> MicroOp {
    switch (bits >> 12 & 1, rd, rs2) {
    case (0, 0, 0): return illegal(bits)
    case (0, _, 0): return MicroOp(.jalr, rs1: rd)
    case (0, _, _): return MicroOp(.add, rd: rd, rs2: rs2)
    case (1, 0, 0): return MicroOp(.ebreak)
    case (_, _, 0): return MicroOp(.jalr, rd: 1, rs1: rd)
    default: return MicroOp(.add, rd: rd, rs1: rd, rs2: rs2)
    }
  }
}
