/// What an operation of a trace does: an instruction, two of them in one, or a step between traces.
///
/// Compressed instructions are decoded into the operation they stand for.
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

  // What no instruction is decoded to.

  /// Nothing: an instruction without effect at the start of a trace.
  case nothing
  /// Sets a register to the immediate, sign-extended.
  case constant
  /// Sets a register to the immediate, zero-extended: an address in the first 4 GiB.
  case address
  /// Sets a register to 64 bits, of which the second half holds the upper.
  case wideConstant
  /// `jalr` whose link is in `Registers.scratch`.
  case farJalr
  /// `jalr` without a link.
  case jr
  /// `jr` that is expected to go where the trace goes on.
  case returns
  /// Goes to another trace, which `link` names.
  case jump
  /// Leaves the loop: the trace to go to is not known yet.
  case unlinked

  // From here on out of the loop.
  case fencei
  case illegal, ecall, ebreak, mret, wfi
  case csrrw, csrrs, csrrc, csrrwi, csrrsi, csrrci
  case lrw, lrd, scw, scd
  case amoswapw, amoaddw, amoxorw, amoandw, amoorw, amominw, amomaxw, amominuw, amomaxuw
  case amoswapd, amoaddd, amoxord, amoandd, amoord, amomind, amomaxd, amominud, amomaxud

  /// Whether it is a load or store alone.
  var isAccess: Bool { rawValue >= Operation.lb.rawValue && rawValue <= Operation.sd.rawValue }

  /// Whether it is done outside the loop.
  var isRare: Bool { rawValue >= Operation.fencei.rawValue && rawValue <= Operation.amomaxud.rawValue }
}
