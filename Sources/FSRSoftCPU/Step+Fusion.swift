extension Step {
  /// What does `first` and then `second`; nil where nothing does.
  static func fused(_ first: Step, _ second: Step) -> Step? {
    switch first {
    case .addi: second.afterAddi
    case .add: second.afterAdd
    case .slli: second.afterSlli
    case .srli: second.afterSrli
    case .srliw: second.afterSrliw
    case .xor: second.afterXor
    case .or: second.afterOr
    case .andi: second.afterAndi
    case .and: second.afterAnd
    case .addiw: second.afterAddiw
    case .addw: second.afterAddw
    case .sub: second.afterSub
    case .subw: second.afterSubw
    case .mul: second.afterMul
    case .mulhu: second.afterMulhu
    case .sltu: second.afterSltu
    case .ld: second.afterLd
    case .lw: second.afterLw
    case .lbu: second.afterLbu
    case .sd: second.afterSd
    case .sw: second.afterSw
    case .sb: second.afterSb
    default: nil
    }
  }

  private var afterAddi: Step? {
    switch self {
    case .addi: .addiAddi
    case .add: .addiAdd
    case .mul: .addiMul
    case .xor: .addiXor
    case .or: .addiOr
    case .andi: .addiAndi
    case .slli: .addiSlli
    case .srli: .addiSrli
    case .srliw: .addiSrliw
    case .addiw: .addiAddiw
    case .xori: .addiXori
    case .ld: .addiLd
    case .lw: .addiLw
    case .lbu: .addiLbu
    case .sd: .addiSd
    case .sb: .addiSb
    case .sw: .addiSw
    case .beq: .addiBeq
    case .bne: .addiBne
    case .blt: .addiBlt
    case .bge: .addiBge
    case .bltu: .addiBltu
    case .bgeu: .addiBgeu
    case .jr: .addiJr
    case .returns: .addiReturns
    case .jump: .addiJump
    default: nil
    }
  }

  private var afterAdd: Step? {
    switch self {
    case .addi: .addAddi
    case .add: .addAdd
    case .slli: .addSlli
    case .srli: .addSrli
    case .xor: .addXor
    case .ld: .addLd
    case .lw: .addLw
    case .lbu: .addLbu
    case .sd: .addSd
    case .sb: .addSb
    case .sw: .addSw
    case .sltu: .addSltu
    case .addw: .addAddw
    case .beq: .addBeq
    case .bne: .addBne
    case .blt: .addBlt
    case .bge: .addBge
    case .bltu: .addBltu
    case .bgeu: .addBgeu
    case .jump: .addJump
    default: nil
    }
  }

  private var afterSlli: Step? {
    switch self {
    case .add: .slliAdd
    case .xor: .slliXor
    case .or: .slliOr
    case .addi: .slliAddi
    case .addiw: .slliAddiw
    case .srli: .slliSrli
    case .srliw: .slliSrliw
    case .ld: .slliLd
    case .andi: .slliAndi
    default: nil
    }
  }

  private var afterSrli: Step? {
    switch self {
    case .xor: .srliXor
    case .add: .srliAdd
    case .or: .srliOr
    case .addi: .srliAddi
    case .andi: .srliAndi
    case .slli: .srliSlli
    case .mul: .srliMul
    default: nil
    }
  }

  private var afterSrliw: Step? {
    switch self {
    case .addi: .srliwAddi
    case .slli: .srliwSlli
    case .or: .srliwOr
    case .bne: .srliwBne
    default: nil
    }
  }

  private var afterXor: Step? {
    switch self {
    case .xor: .xorXor
    case .add: .xorAdd
    case .and: .xorAnd
    case .andi: .xorAndi
    case .slli: .xorSlli
    case .srli: .xorSrli
    case .mul: .xorMul
    case .beq: .xorBeq
    case .bne: .xorBne
    case .sltu: .xorSltu
    default: nil
    }
  }

  private var afterOr: Step? {
    switch self {
    case .or: .orOr
    case .addi: .orAddi
    case .slli: .orSlli
    case .srliw: .orSrliw
    case .xor: .orXor
    default: nil
    }
  }

  private var afterAndi: Step? {
    switch self {
    case .beq: .andiBeq
    case .bne: .andiBne
    case .slli: .andiSlli
    case .addi: .andiAddi
    case .add: .andiAdd
    case .lbu: .andiLbu
    default: nil
    }
  }

  private var afterAnd: Step? {
    switch self {
    case .xor: .andXor
    case .beq: .andBeq
    case .bne: .andBne
    default: nil
    }
  }

  private var afterAddiw: Step? {
    switch self {
    case .addi: .addiwAddi
    case .add: .addiwAdd
    case .sd: .addiwSd
    case .sw: .addiwSw
    case .srli: .addiwSrli
    case .beq: .addiwBeq
    case .bne: .addiwBne
    case .blt: .addiwBlt
    case .bge: .addiwBge
    case .bltu: .addiwBltu
    case .jump: .addiwJump
    default: nil
    }
  }

  private var afterAddw: Step? {
    switch self {
    case .addw: .addwAddw
    case .addi: .addwAddi
    case .lw: .addwLw
    case .bne: .addwBne
    default: nil
    }
  }

  private var afterSub: Step? {
    switch self {
    case .addi: .subAddi
    case .ld: .subLd
    case .bgeu: .subBgeu
    default: nil
    }
  }

  private var afterSubw: Step? {
    switch self {
    case .and: .subwAnd
    default: nil
    }
  }

  private var afterMul: Step? {
    switch self {
    case .add: .mulAdd
    case .addi: .mulAddi
    case .sub: .mulSub
    case .srli: .mulSrli
    default: nil
    }
  }

  private var afterMulhu: Step? {
    switch self {
    case .mul: .mulhuMul
    case .srli: .mulhuSrli
    default: nil
    }
  }

  private var afterSltu: Step? {
    switch self {
    case .add: .sltuAdd
    case .addw: .sltuAddw
    default: nil
    }
  }

  private var afterLd: Step? {
    switch self {
    case .ld: .ldLd
    case .addi: .ldAddi
    case .add: .ldAdd
    case .xor: .ldXor
    case .andi: .ldAndi
    case .slli: .ldSlli
    case .sd: .ldSd
    case .beq: .ldBeq
    case .bne: .ldBne
    case .blt: .ldBlt
    case .bge: .ldBge
    case .bltu: .ldBltu
    case .bgeu: .ldBgeu
    default: nil
    }
  }

  private var afterLw: Step? {
    switch self {
    case .lw: .lwLw
    case .addi: .lwAddi
    case .add: .lwAdd
    case .addw: .lwAddw
    case .mul: .lwMul
    case .srliw: .lwSrliw
    case .beq: .lwBeq
    case .bne: .lwBne
    case .blt: .lwBlt
    case .bge: .lwBge
    case .bltu: .lwBltu
    case .bgeu: .lwBgeu
    default: nil
    }
  }

  private var afterLbu: Step? {
    switch self {
    case .lbu: .lbuLbu
    case .addi: .lbuAddi
    case .add: .lbuAdd
    case .slli: .lbuSlli
    case .xor: .lbuXor
    case .andi: .lbuAndi
    case .beq: .lbuBeq
    case .bne: .lbuBne
    case .bltu: .lbuBltu
    case .bgeu: .lbuBgeu
    case .sb: .lbuSb
    default: nil
    }
  }

  private var afterSd: Step? {
    switch self {
    case .sd: .sdSd
    case .addi: .sdAddi
    case .add: .sdAdd
    case .beq: .sdBeq
    case .bne: .sdBne
    case .jump: .sdJump
    default: nil
    }
  }

  private var afterSw: Step? {
    switch self {
    case .sw: .swSw
    case .addi: .swAddi
    case .bne: .swBne
    default: nil
    }
  }

  private var afterSb: Step? {
    switch self {
    case .sb: .sbSb
    case .addi: .sbAddi
    case .add: .sbAdd
    case .addiw: .sbAddiw
    case .lbu: .sbLbu
    case .bne: .sbBne
    default: nil
    }
  }
}
