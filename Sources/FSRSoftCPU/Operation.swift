/// What a decoded instruction does. Compressed ones are decoded into the operation they stand for.
enum Operation: UInt8, BitwiseCopyable {
  case lui, auipc, jal, jalr
  case beq, bne, blt, bge, bltu, bgeu
  case lb, lh, lw, ld, lbu, lhu, lwu
  case sb, sh, sw, sd
  case addi, slti, sltiu, xori, ori, andi, slli, srli, srai
  case addiw, slliw, srliw, sraiw
  case add, sub, sll, slt, sltu, xor, srl, sra, or, and
  case addw, subw, sllw, srlw, sraw
  case mul, mulh, mulhsu, mulhu, div, divu, rem, remu
  case mulw, divw, divuw, remw, remuw
  case fence

  // From here on not in the loop over traces.
  case fencei
  case illegal, ecall, ebreak, mret, wfi
  case csrrw, csrrs, csrrc, csrrwi, csrrsi, csrrci
  case lrw, lrd, scw, scd
  case amoswapw, amoaddw, amoxorw, amoandw, amoorw, amominw, amomaxw, amominuw, amomaxuw
  case amoswapd, amoaddd, amoxord, amoandd, amoord, amomind, amomaxd, amominud, amomaxud

  /// Whether it is done outside the loop.
  var isRare: Bool { rawValue >= Operation.fencei.rawValue }

  /// Whether it is one of those that change memory in one piece.
  var isAtomic: Bool { rawValue >= Operation.lrw.rawValue }
}
