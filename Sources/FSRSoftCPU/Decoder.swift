/// Decodes instructions of RV64IMAC with machine mode.
enum Decoder {
  /// Decodes a whole instruction; the upper half is ignored where the lower says that it is compressed.
  static func decode(_ bits: UInt32) -> MicroOp {
    if bits & 3 != 3 { return CompressedDecoder.decode(bits & 0xffff).compressed }
    let rd = bits >> 7 & 31
    let rs1 = bits >> 15 & 31
    switch bits >> 2 & 31 {
    case 0x0d: return MicroOp(.lui, rd: rd, Int32(bitPattern: bits & 0xffff_f000))
    case 0x05: return MicroOp(.auipc, rd: rd, Int32(bitPattern: bits & 0xffff_f000))
    case 0x1b: return MicroOp(.jal, rd: rd, jumpImmediate(bits))
    case 0x19 where bits >> 12 & 7 == 0: return MicroOp(.jalr, rd: rd, rs1: rs1, upper(bits))
    case 0x18: return branch(bits)
    case 0x00: return load(bits)
    case 0x08: return store(bits)
    case 0x04: return immediateOperation(bits)
    case 0x06: return immediateWordOperation(bits)
    case 0x0c: return registerOperation(bits)
    case 0x0e: return registerWordOperation(bits)
    case 0x03: return fence(bits)
    case 0x1c: return system(bits)
    case 0x0b: return atomic(bits)
    default: return illegal(bits)
    }
  }

  static func illegal(_ bits: UInt32) -> MicroOp { MicroOp(.illegal, Int32(bitPattern: bits)) }

  private static func function(_ bits: UInt32) -> Int { Int(bits >> 12 & 7) }

  /// The immediate in the top 12 bits.
  private static func upper(_ bits: UInt32) -> Int32 { Int32(bitPattern: bits) >> 20 }

  private static func jumpImmediate(_ bits: UInt32) -> Int32 {
    let low = bits & 0xff000 | bits >> 9 & 0x800 | bits >> 20 & 0x7fe
    return (Int32(bitPattern: bits) >> 31) << 20 | Int32(bitPattern: low)
  }

  private static func branch(_ bits: UInt32) -> MicroOp {
    let operations: [Operation?] = [.beq, .bne, nil, nil, .blt, .bge, .bltu, .bgeu]
    guard let operation = operations[function(bits)] else { return illegal(bits) }
    let low = bits << 4 & 0x800 | bits >> 20 & 0x7e0 | bits >> 7 & 0x1e
    let offset = (Int32(bitPattern: bits) >> 31) << 12 | Int32(bitPattern: low)
    return MicroOp(operation, rs1: bits >> 15, rs2: bits >> 20, offset)
  }

  private static func load(_ bits: UInt32) -> MicroOp {
    let operations: [Operation?] = [.lb, .lh, .lw, .ld, .lbu, .lhu, .lwu, nil]
    guard let operation = operations[function(bits)] else { return illegal(bits) }
    return MicroOp(operation, rd: bits >> 7 & 31, rs1: bits >> 15, upper(bits))
  }

  private static func store(_ bits: UInt32) -> MicroOp {
    let operations: [Operation?] = [.sb, .sh, .sw, .sd, nil, nil, nil, nil]
    guard let operation = operations[function(bits)] else { return illegal(bits) }
    let offset = (Int32(bitPattern: bits) >> 25) << 5 | Int32(bits >> 7 & 31)
    return MicroOp(operation, rs1: bits >> 15, rs2: bits >> 20, offset)
  }

  private static func immediateOperation(_ bits: UInt32) -> MicroOp {
    let rd = bits >> 7 & 31
    let rs1 = bits >> 15 & 31
    let shift = Int32(bits >> 20 & 63)
    switch (function(bits), bits >> 26) {
    case (0, _): return MicroOp(.addi, rd: rd, rs1: rs1, upper(bits))
    case (1, 0): return MicroOp(.slli, rd: rd, rs1: rs1, shift)
    case (2, _): return MicroOp(.slti, rd: rd, rs1: rs1, upper(bits))
    case (3, _): return MicroOp(.sltiu, rd: rd, rs1: rs1, upper(bits))
    case (4, _): return MicroOp(.xori, rd: rd, rs1: rs1, upper(bits))
    case (5, 0): return MicroOp(.srli, rd: rd, rs1: rs1, shift)
    case (5, 0x10): return MicroOp(.srai, rd: rd, rs1: rs1, shift)
    case (6, _): return MicroOp(.ori, rd: rd, rs1: rs1, upper(bits))
    case (7, _): return MicroOp(.andi, rd: rd, rs1: rs1, upper(bits))
    default: return illegal(bits)
    }
  }

  private static func immediateWordOperation(_ bits: UInt32) -> MicroOp {
    let rd = bits >> 7 & 31
    let rs1 = bits >> 15 & 31
    let shift = Int32(bits >> 20 & 31)
    switch (function(bits), bits >> 25) {
    case (0, _): return MicroOp(.addiw, rd: rd, rs1: rs1, upper(bits))
    case (1, 0): return MicroOp(.slliw, rd: rd, rs1: rs1, shift)
    case (5, 0): return MicroOp(.srliw, rd: rd, rs1: rs1, shift)
    case (5, 0x20): return MicroOp(.sraiw, rd: rd, rs1: rs1, shift)
    default: return illegal(bits)
    }
  }

  private static func registerOperation(_ bits: UInt32) -> MicroOp {
    let operations: [Operation]
    switch bits >> 25 {
    case 0: operations = [.add, .sll, .slt, .sltu, .xor, .srl, .or, .and]
    case 1: operations = [.mul, .mulh, .mulhsu, .mulhu, .div, .divu, .rem, .remu]
    case 0x20: operations = [.sub, .illegal, .illegal, .illegal, .illegal, .sra, .illegal, .illegal]
    default: return illegal(bits)
    }
    return register(operations[function(bits)], bits)
  }

  private static func registerWordOperation(_ bits: UInt32) -> MicroOp {
    let operations: [Operation]
    switch bits >> 25 {
    case 0: operations = [.addw, .sllw, .illegal, .illegal, .illegal, .srlw, .illegal, .illegal]
    case 1: operations = [.mulw, .illegal, .illegal, .illegal, .divw, .divuw, .remw, .remuw]
    case 0x20: operations = [.subw, .illegal, .illegal, .illegal, .illegal, .sraw, .illegal, .illegal]
    default: return illegal(bits)
    }
    return register(operations[function(bits)], bits)
  }

  private static func register(_ operation: Operation, _ bits: UInt32) -> MicroOp {
    if operation == .illegal { return illegal(bits) }
    return MicroOp(operation, rd: bits >> 7 & 31, rs1: bits >> 15, rs2: bits >> 20)
  }

  /// Every ordering is treated as the strongest one; hints among them do no harm.
  private static func fence(_ bits: UInt32) -> MicroOp {
    switch function(bits) {
    case 0: return MicroOp(.fence)
    case 1: return MicroOp(.fencei)
    default: return illegal(bits)
    }
  }

  private static func system(_ bits: UInt32) -> MicroOp {
    let whole = Int32(bitPattern: bits)
    switch bits {
    case 0x0000_0073: return MicroOp(.ecall)
    case 0x0010_0073: return MicroOp(.ebreak)
    case 0x3020_0073: return MicroOp(.mret)
    case 0x1050_0073: return MicroOp(.wfi)
    default: break
    }
    let operations: [Operation?] = [nil, .csrrw, .csrrs, .csrrc, nil, .csrrwi, .csrrsi, .csrrci]
    guard let operation = operations[function(bits)] else { return illegal(bits) }
    return MicroOp(operation, rd: bits >> 7 & 31, rs1: bits >> 15, rs2: bits >> 15, whole)
  }

  /// The order bits do not matter: each of these is done sequentially consistent.
  private static func atomic(_ bits: UInt32) -> MicroOp {
    let isDouble = function(bits) == 3
    guard isDouble || function(bits) == 2 else { return illegal(bits) }
    let operation: Operation
    switch bits >> 27 {
    case 0x02 where bits >> 20 & 31 == 0: operation = isDouble ? .lrd : .lrw
    case 0x03: operation = isDouble ? .scd : .scw
    case 0x01: operation = isDouble ? .amoswapd : .amoswapw
    case 0x00: operation = isDouble ? .amoaddd : .amoaddw
    case 0x04: operation = isDouble ? .amoxord : .amoxorw
    case 0x0c: operation = isDouble ? .amoandd : .amoandw
    case 0x08: operation = isDouble ? .amoord : .amoorw
    case 0x10: operation = isDouble ? .amomind : .amominw
    case 0x14: operation = isDouble ? .amomaxd : .amomaxw
    case 0x18: operation = isDouble ? .amominud : .amominuw
    case 0x1c: operation = isDouble ? .amomaxud : .amomaxuw
    default: return illegal(bits)
    }
    return register(operation, bits)
  }
}
