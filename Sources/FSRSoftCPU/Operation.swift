/// What a predecoded instruction does. Compressed ones are decoded into the operation they stand for; those that
/// are frequent and go on to the next instruction have a twin (`caddi` of `addi`), so that the hot loop knows
/// their length from the operation instead of waiting for a load.
enum Operation: UInt8, BitwiseCopyable {
  /// Not decoded yet: the slot's code was not reached since it was dropped.
  case undecoded
  /// Behind the last slot of a page: the code goes on in the next page.
  case pageEnd
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
  case cbeq, cbne, clw, cld, csw, csd
  case caddi, candi, cslli, csrli, csrai, caddiw
  case cadd, csub, cxor, cor, cand, caddw, csubw
  // From here on out of the hot loop.
  case fencei
  case illegal, ecall, ebreak, mret, wfi
  case csrrw, csrrs, csrrc, csrrwi, csrrsi, csrrci
  case lrw, lrd, scw, scd
  case amoswapw, amoaddw, amoxorw, amoandw, amoorw, amominw, amomaxw, amominuw, amomaxuw
  case amoswapd, amoaddd, amoxord, amoandd, amoord, amomind, amomaxd, amominud, amomaxud

  /// The operation of the compressed instruction, where it has a twin.
  var compressedTwin: Operation {
    switch self {
    case .beq: .cbeq
    case .bne: .cbne
    case .lw: .clw
    case .ld: .cld
    case .sw: .csw
    case .sd: .csd
    case .addi: .caddi
    case .andi: .candi
    case .slli: .cslli
    case .srli: .csrli
    case .srai: .csrai
    case .addiw: .caddiw
    case .add: .cadd
    case .sub: .csub
    case .xor: .cxor
    case .or: .cor
    case .and: .cand
    case .addw: .caddw
    case .subw: .csubw
    default: self
    }
  }
}
