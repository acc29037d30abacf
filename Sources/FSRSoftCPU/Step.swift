/// What one operation of a trace does: an instruction, two of them in one, or a step between traces.
enum Step: UInt8, BitwiseCopyable {
  // From `jalr` to `fence` the instructions of these names, in the order of `Operation`.

  /// Sets a register to the immediate, zero-extended: an address in the first 4 GiB.
  case address
  /// Sets a register to 64 bits, of which half `b` holds the upper.
  case wideConstant
  /// `jalr` whose link is in `Registers.scratch`.
  case farJalr
  /// An indirect jump; half `a` holds the link.
  case jalr
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

  case amoswapw, amoswapd, amoaddw, amoaddd

  /// Nothing: an instruction without effect at the start of a trace.
  case nothing
  /// An indirect jump without a link.
  case jr
  /// A return that is expected to go where the trace goes on.
  case returns
  /// Goes to another trace, which `link` names.
  case jump
  /// Leaves the loop: the trace to go to is not known yet.
  case unlinked
  /// Leaves the loop for an instruction that is done outside.
  case rare

  // Two instructions in one, for those that often follow each other.
  case addiAddi, addiAdd, addiMul, addiXor, addiOr, addiAndi, addiSlli, addiSrli, addiSrliw, addiAddiw
  case addiXori, addiLd, addiLw, addiLbu, addiSd, addiSb, addiSw, addiBeq, addiBne, addiBlt, addiBge
  case addiBltu, addiBgeu, addiJr, addiReturns, addiJump
  case addAddi, addAdd, addSlli, addSrli, addXor, addLd, addLw, addLbu, addSd, addSb, addSw, addSltu
  case addAddw, addBeq, addBne, addBlt, addBge, addBltu, addBgeu, addJump
  case slliAdd, slliXor, slliOr, slliAddi, slliAddiw, slliSrli, slliSrliw, slliLd, slliAndi
  case srliXor, srliAdd, srliOr, srliAddi, srliAndi, srliSlli, srliMul
  case srliwAddi, srliwSlli, srliwOr, srliwBne
  case xorXor, xorAdd, xorAnd, xorAndi, xorSlli, xorSrli, xorMul, xorBeq, xorBne, xorSltu
  case orOr, orAddi, orSlli, orSrliw, orXor
  case andiBeq, andiBne, andiSlli, andiAddi, andiAdd, andiLbu
  case andXor, andBeq, andBne
  case addiwAddi, addiwAdd, addiwSd, addiwSw, addiwSrli, addiwBeq, addiwBne, addiwBlt, addiwBge, addiwBltu
  case addiwJump
  case addwAddw, addwAddi, addwLw, addwBne
  case subAddi, subLd, subBgeu
  case subwAnd
  case mulAdd, mulAddi, mulSub, mulSrli
  case mulhuMul, mulhuSrli
  case sltuAdd, sltuAddw
  case ldLd, ldAddi, ldAdd, ldXor, ldAndi, ldSlli, ldSd, ldBeq, ldBne, ldBlt, ldBge, ldBltu, ldBgeu
  case lwLw, lwAddi, lwAdd, lwAddw, lwMul, lwSrliw, lwBeq, lwBne, lwBlt, lwBge, lwBltu, lwBgeu
  case lbuLbu, lbuAddi, lbuAdd, lbuSlli, lbuXor, lbuAndi, lbuBeq, lbuBne, lbuBltu, lbuBgeu, lbuSb
  case sdSd, sdAddi, sdAdd, sdBeq, sdBne, sdJump
  case swSw, swAddi, swBne
  case sbSb, sbAddi, sbAdd, sbAddiw, sbLbu, sbBne

  /// The step of an instruction that is executed in the loop as it is.
  init(_ operation: Operation) {
    guard let step = Step(rawValue: operation.rawValue), step.rawValue <= Step.fence.rawValue else {
      preconditionFailure("a step of this name")
    }
    self = step
  }

  /// Whether it may leave the trace, and so uses half `b`.
  var leaves: Bool {
    switch self {
    case .beq, .bne, .blt, .bge, .bltu, .bgeu, .jalr, .farJalr, .jr, .returns, .jump: true
    default: false
    }
  }

  /// Whether it is a load or store alone.
  var isAccess: Bool { rawValue >= Step.lb.rawValue && rawValue <= Step.sd.rawValue }
}
