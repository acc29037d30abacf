import FSRMemory
import Synchronization

/// The loop that executes traces.
///
/// One switch over all steps: the compiler makes one jump of it, and everything that the loop needs stays in
/// registers. Hence its length, and hence what is rare leaves it (`TraceExit`). A step's operands are read where
/// they are used: read before the switch, all of them would be for each. Nothing in it allocates, counts
/// references or checks exclusivity.
enum TraceLoop {
  /// Executes traces, the first at `start`, until `left` is below 0 where one of them is left, or something else
  /// is to be done outside.
  @inline(never)
  static func run(
    _ x: inout Registers, _ cache: borrowing CodeCache, _ memory: GuestMemory, from start: Int,
    left credit: Int
  ) -> TraceExit {
    let ops = cache.ops.span
    let pages = cache.pages.span
    let entries = cache.entries.span
    var index = start
    var left = credit
    while true {
      let pc: UInt64
      indirect: do {
        taken: do {
          switch ops[index].step {
          case .nothing:
            break
          case .address:
            x[ops[index].a.target] = ops[index].a.unsigned
          case .wideConstant:
            x[ops[index].a.target] = ops[index].a.unsigned | ops[index].b.extended &<< 32
          case .fence:
            atomicMemoryFence(ordering: .sequentiallyConsistent)
          case .jump:
            break taken
          case .jr:
            pc = x.target(ops[index].b)
            break indirect
          case .returns:
            pc = x.returnTarget(ops[index].b)
            if pc != ops[index].b.unsigned { break indirect }
          case .jalr:
            pc = x.target(ops[index].b)
            x[ops[index].b.target] = ops[index].a.unsigned
            break indirect
          case .farJalr:
            pc = x.target(ops[index].b)
            x[ops[index].b.target] = x[Registers.scratch]
            break indirect
          case .unlinked:
            return TraceExit(.unlinked, index, left &- Int(ops[index].count))
          case .rare:
            return TraceExit(.rare, index, left)
          case .addi:
            x.addi(ops[index].a)
          case .slti:
            x.slti(ops[index].a)
          case .sltiu:
            x.sltiu(ops[index].a)
          case .xori:
            x.xori(ops[index].a)
          case .ori:
            x.ori(ops[index].a)
          case .andi:
            x.andi(ops[index].a)
          case .slli:
            x.slli(ops[index].a)
          case .srli:
            x.srli(ops[index].a)
          case .srai:
            x.srai(ops[index].a)
          case .addiw:
            x.addiw(ops[index].a)
          case .slliw:
            x.slliw(ops[index].a)
          case .srliw:
            x.srliw(ops[index].a)
          case .sraiw:
            x.sraiw(ops[index].a)
          case .add:
            x.add(ops[index].a)
          case .sub:
            x.sub(ops[index].a)
          case .sll:
            x.sll(ops[index].a)
          case .slt:
            x.slt(ops[index].a)
          case .sltu:
            x.sltu(ops[index].a)
          case .xor:
            x.xor(ops[index].a)
          case .srl:
            x.srl(ops[index].a)
          case .sra:
            x.sra(ops[index].a)
          case .or:
            x.or(ops[index].a)
          case .and:
            x.and(ops[index].a)
          case .addw:
            x.addw(ops[index].a)
          case .subw:
            x.subw(ops[index].a)
          case .sllw:
            x.sllw(ops[index].a)
          case .srlw:
            x.srlw(ops[index].a)
          case .sraw:
            x.sraw(ops[index].a)
          case .mul:
            x.mul(ops[index].a)
          case .mulh:
            x.mulh(ops[index].a)
          case .mulhsu:
            x.mulhsu(ops[index].a)
          case .mulhu:
            x.mulhu(ops[index].a)
          case .div:
            x.div(ops[index].a)
          case .divu:
            x.divu(ops[index].a)
          case .rem:
            x.rem(ops[index].a)
          case .remu:
            x.remu(ops[index].a)
          case .mulw:
            x.mulw(ops[index].a)
          case .divw:
            x.divw(ops[index].a)
          case .divuw:
            x.divuw(ops[index].a)
          case .remw:
            x.remw(ops[index].a)
          case .remuw:
            x.remuw(ops[index].a)
          case .lb:
            guard x.lb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .lh:
            guard x.lh(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .lw:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .ld:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .lbu:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .lhu:
            guard x.lhu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .lwu:
            guard x.lwu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .sb:
            guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .sh:
            guard x.sh(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .sw:
            guard x.sw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .sd:
            guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
          case .beq:
            if x.beq(ops[index].b) { break taken }
          case .bne:
            if x.bne(ops[index].b) { break taken }
          case .blt:
            if x.blt(ops[index].b) { break taken }
          case .bge:
            if x.bge(ops[index].b) { break taken }
          case .bltu:
            if x.bltu(ops[index].b) { break taken }
          case .bgeu:
            if x.bgeu(ops[index].b) { break taken }
          case .amoswapw:
            guard x.amoswapw(ops[index].a, memory) else { return TraceExit(.rare, index, left) }
          case .amoswapd:
            guard x.amoswapd(ops[index].a, memory) else { return TraceExit(.rare, index, left) }
          case .amoaddw:
            guard x.amoaddw(ops[index].a, memory) else { return TraceExit(.rare, index, left) }
          case .amoaddd:
            guard x.amoaddd(ops[index].a, memory) else { return TraceExit(.rare, index, left) }
          // Two instructions in one.
          case .addiAddi:
            x.addi(ops[index].a)
            x.addi(ops[index].b)
          case .addiAdd:
            x.addi(ops[index].a)
            x.add(ops[index].b)
          case .addiMul:
            x.addi(ops[index].a)
            x.mul(ops[index].b)
          case .addiXor:
            x.addi(ops[index].a)
            x.xor(ops[index].b)
          case .addiOr:
            x.addi(ops[index].a)
            x.or(ops[index].b)
          case .addiAndi:
            x.addi(ops[index].a)
            x.andi(ops[index].b)
          case .addiSlli:
            x.addi(ops[index].a)
            x.slli(ops[index].b)
          case .addiSrli:
            x.addi(ops[index].a)
            x.srli(ops[index].b)
          case .addiSrliw:
            x.addi(ops[index].a)
            x.srliw(ops[index].b)
          case .addiAddiw:
            x.addi(ops[index].a)
            x.addiw(ops[index].b)
          case .addiXori:
            x.addi(ops[index].a)
            x.xori(ops[index].b)
          case .addiLd:
            x.addi(ops[index].a)
            guard x.ld(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiLw:
            x.addi(ops[index].a)
            guard x.lw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiLbu:
            x.addi(ops[index].a)
            guard x.lbu(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiSd:
            x.addi(ops[index].a)
            guard x.sd(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiSb:
            x.addi(ops[index].a)
            guard x.sb(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiSw:
            x.addi(ops[index].a)
            guard x.sw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiBeq:
            x.addi(ops[index].a)
            if x.beq(ops[index].b) { break taken }
          case .addiBne:
            x.addi(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .addiBlt:
            x.addi(ops[index].a)
            if x.blt(ops[index].b) { break taken }
          case .addiBge:
            x.addi(ops[index].a)
            if x.bge(ops[index].b) { break taken }
          case .addiBltu:
            x.addi(ops[index].a)
            if x.bltu(ops[index].b) { break taken }
          case .addiBgeu:
            x.addi(ops[index].a)
            if x.bgeu(ops[index].b) { break taken }
          case .addiJr:
            x.addi(ops[index].a)
            pc = x.target(ops[index].b)
            break indirect
          case .addiReturns:
            x.addi(ops[index].a)
            pc = x.returnTarget(ops[index].b)
            if pc != ops[index].b.unsigned { break indirect }
          case .addiJump:
            x.addi(ops[index].a)
            break taken
          case .addAddi:
            x.add(ops[index].a)
            x.addi(ops[index].b)
          case .addAdd:
            x.add(ops[index].a)
            x.add(ops[index].b)
          case .addSlli:
            x.add(ops[index].a)
            x.slli(ops[index].b)
          case .addSrli:
            x.add(ops[index].a)
            x.srli(ops[index].b)
          case .addXor:
            x.add(ops[index].a)
            x.xor(ops[index].b)
          case .addLd:
            x.add(ops[index].a)
            guard x.ld(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addLw:
            x.add(ops[index].a)
            guard x.lw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addLbu:
            x.add(ops[index].a)
            guard x.lbu(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addSd:
            x.add(ops[index].a)
            guard x.sd(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addSb:
            x.add(ops[index].a)
            guard x.sb(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addSw:
            x.add(ops[index].a)
            guard x.sw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addSltu:
            x.add(ops[index].a)
            x.sltu(ops[index].b)
          case .addAddw:
            x.add(ops[index].a)
            x.addw(ops[index].b)
          case .addBeq:
            x.add(ops[index].a)
            if x.beq(ops[index].b) { break taken }
          case .addBne:
            x.add(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .addBlt:
            x.add(ops[index].a)
            if x.blt(ops[index].b) { break taken }
          case .addBge:
            x.add(ops[index].a)
            if x.bge(ops[index].b) { break taken }
          case .addBltu:
            x.add(ops[index].a)
            if x.bltu(ops[index].b) { break taken }
          case .addBgeu:
            x.add(ops[index].a)
            if x.bgeu(ops[index].b) { break taken }
          case .addJump:
            x.add(ops[index].a)
            break taken
          case .slliAdd:
            x.slli(ops[index].a)
            x.add(ops[index].b)
          case .slliXor:
            x.slli(ops[index].a)
            x.xor(ops[index].b)
          case .slliOr:
            x.slli(ops[index].a)
            x.or(ops[index].b)
          case .slliAddi:
            x.slli(ops[index].a)
            x.addi(ops[index].b)
          case .slliAddiw:
            x.slli(ops[index].a)
            x.addiw(ops[index].b)
          case .slliSrli:
            x.slli(ops[index].a)
            x.srli(ops[index].b)
          case .slliSrliw:
            x.slli(ops[index].a)
            x.srliw(ops[index].b)
          case .slliLd:
            x.slli(ops[index].a)
            guard x.ld(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .slliAndi:
            x.slli(ops[index].a)
            x.andi(ops[index].b)
          case .srliXor:
            x.srli(ops[index].a)
            x.xor(ops[index].b)
          case .srliAdd:
            x.srli(ops[index].a)
            x.add(ops[index].b)
          case .srliOr:
            x.srli(ops[index].a)
            x.or(ops[index].b)
          case .srliAddi:
            x.srli(ops[index].a)
            x.addi(ops[index].b)
          case .srliAndi:
            x.srli(ops[index].a)
            x.andi(ops[index].b)
          case .srliSlli:
            x.srli(ops[index].a)
            x.slli(ops[index].b)
          case .srliMul:
            x.srli(ops[index].a)
            x.mul(ops[index].b)
          case .srliwAddi:
            x.srliw(ops[index].a)
            x.addi(ops[index].b)
          case .srliwSlli:
            x.srliw(ops[index].a)
            x.slli(ops[index].b)
          case .srliwOr:
            x.srliw(ops[index].a)
            x.or(ops[index].b)
          case .srliwBne:
            x.srliw(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .xorXor:
            x.xor(ops[index].a)
            x.xor(ops[index].b)
          case .xorAdd:
            x.xor(ops[index].a)
            x.add(ops[index].b)
          case .xorAnd:
            x.xor(ops[index].a)
            x.and(ops[index].b)
          case .xorAndi:
            x.xor(ops[index].a)
            x.andi(ops[index].b)
          case .xorSlli:
            x.xor(ops[index].a)
            x.slli(ops[index].b)
          case .xorSrli:
            x.xor(ops[index].a)
            x.srli(ops[index].b)
          case .xorMul:
            x.xor(ops[index].a)
            x.mul(ops[index].b)
          case .xorBeq:
            x.xor(ops[index].a)
            if x.beq(ops[index].b) { break taken }
          case .xorBne:
            x.xor(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .xorSltu:
            x.xor(ops[index].a)
            x.sltu(ops[index].b)
          case .orOr:
            x.or(ops[index].a)
            x.or(ops[index].b)
          case .orAddi:
            x.or(ops[index].a)
            x.addi(ops[index].b)
          case .orSlli:
            x.or(ops[index].a)
            x.slli(ops[index].b)
          case .orSrliw:
            x.or(ops[index].a)
            x.srliw(ops[index].b)
          case .orXor:
            x.or(ops[index].a)
            x.xor(ops[index].b)
          case .andiBeq:
            x.andi(ops[index].a)
            if x.beq(ops[index].b) { break taken }
          case .andiBne:
            x.andi(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .andiSlli:
            x.andi(ops[index].a)
            x.slli(ops[index].b)
          case .andiAddi:
            x.andi(ops[index].a)
            x.addi(ops[index].b)
          case .andiAdd:
            x.andi(ops[index].a)
            x.add(ops[index].b)
          case .andiLbu:
            x.andi(ops[index].a)
            guard x.lbu(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .andXor:
            x.and(ops[index].a)
            x.xor(ops[index].b)
          case .andBeq:
            x.and(ops[index].a)
            if x.beq(ops[index].b) { break taken }
          case .andBne:
            x.and(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .addiwAddi:
            x.addiw(ops[index].a)
            x.addi(ops[index].b)
          case .addiwAdd:
            x.addiw(ops[index].a)
            x.add(ops[index].b)
          case .addiwSd:
            x.addiw(ops[index].a)
            guard x.sd(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiwSw:
            x.addiw(ops[index].a)
            guard x.sw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addiwSrli:
            x.addiw(ops[index].a)
            x.srli(ops[index].b)
          case .addiwBeq:
            x.addiw(ops[index].a)
            if x.beq(ops[index].b) { break taken }
          case .addiwBne:
            x.addiw(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .addiwBlt:
            x.addiw(ops[index].a)
            if x.blt(ops[index].b) { break taken }
          case .addiwBge:
            x.addiw(ops[index].a)
            if x.bge(ops[index].b) { break taken }
          case .addiwBltu:
            x.addiw(ops[index].a)
            if x.bltu(ops[index].b) { break taken }
          case .addiwJump:
            x.addiw(ops[index].a)
            break taken
          case .addwAddw:
            x.addw(ops[index].a)
            x.addw(ops[index].b)
          case .addwAddi:
            x.addw(ops[index].a)
            x.addi(ops[index].b)
          case .addwLw:
            x.addw(ops[index].a)
            guard x.lw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .addwBne:
            x.addw(ops[index].a)
            if x.bne(ops[index].b) { break taken }
          case .subAddi:
            x.sub(ops[index].a)
            x.addi(ops[index].b)
          case .subLd:
            x.sub(ops[index].a)
            guard x.ld(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .subBgeu:
            x.sub(ops[index].a)
            if x.bgeu(ops[index].b) { break taken }
          case .subwAnd:
            x.subw(ops[index].a)
            x.and(ops[index].b)
          case .mulAdd:
            x.mul(ops[index].a)
            x.add(ops[index].b)
          case .mulAddi:
            x.mul(ops[index].a)
            x.addi(ops[index].b)
          case .mulSub:
            x.mul(ops[index].a)
            x.sub(ops[index].b)
          case .mulSrli:
            x.mul(ops[index].a)
            x.srli(ops[index].b)
          case .mulhuMul:
            x.mulhu(ops[index].a)
            x.mul(ops[index].b)
          case .mulhuSrli:
            x.mulhu(ops[index].a)
            x.srli(ops[index].b)
          case .sltuAdd:
            x.sltu(ops[index].a)
            x.add(ops[index].b)
          case .sltuAddw:
            x.sltu(ops[index].a)
            x.addw(ops[index].b)
          case .ldLd:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.ld(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .ldAddi:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addi(ops[index].b)
          case .ldAdd:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.add(ops[index].b)
          case .ldXor:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.xor(ops[index].b)
          case .ldAndi:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.andi(ops[index].b)
          case .ldSlli:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.slli(ops[index].b)
          case .ldSd:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.sd(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .ldBeq:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.beq(ops[index].b) { break taken }
          case .ldBne:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bne(ops[index].b) { break taken }
          case .ldBlt:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.blt(ops[index].b) { break taken }
          case .ldBge:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bge(ops[index].b) { break taken }
          case .ldBltu:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bltu(ops[index].b) { break taken }
          case .ldBgeu:
            guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bgeu(ops[index].b) { break taken }
          case .lwLw:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.lw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .lwAddi:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addi(ops[index].b)
          case .lwAdd:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.add(ops[index].b)
          case .lwAddw:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addw(ops[index].b)
          case .lwMul:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.mul(ops[index].b)
          case .lwSrliw:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.srliw(ops[index].b)
          case .lwBeq:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.beq(ops[index].b) { break taken }
          case .lwBne:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bne(ops[index].b) { break taken }
          case .lwBlt:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.blt(ops[index].b) { break taken }
          case .lwBge:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bge(ops[index].b) { break taken }
          case .lwBltu:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bltu(ops[index].b) { break taken }
          case .lwBgeu:
            guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bgeu(ops[index].b) { break taken }
          case .lbuLbu:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.lbu(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .lbuAddi:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addi(ops[index].b)
          case .lbuAdd:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.add(ops[index].b)
          case .lbuSlli:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.slli(ops[index].b)
          case .lbuXor:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.xor(ops[index].b)
          case .lbuAndi:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.andi(ops[index].b)
          case .lbuBeq:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.beq(ops[index].b) { break taken }
          case .lbuBne:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bne(ops[index].b) { break taken }
          case .lbuBltu:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bltu(ops[index].b) { break taken }
          case .lbuBgeu:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bgeu(ops[index].b) { break taken }
          case .lbuSb:
            guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.sb(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .sdSd:
            guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.sd(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .sdAddi:
            guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addi(ops[index].b)
          case .sdAdd:
            guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.add(ops[index].b)
          case .sdBeq:
            guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.beq(ops[index].b) { break taken }
          case .sdBne:
            guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bne(ops[index].b) { break taken }
          case .sdJump:
            guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            break taken
          case .swSw:
            guard x.sw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.sw(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .swAddi:
            guard x.sw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addi(ops[index].b)
          case .swBne:
            guard x.sw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bne(ops[index].b) { break taken }
          case .sbSb:
            guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.sb(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .sbAddi:
            guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addi(ops[index].b)
          case .sbAdd:
            guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.add(ops[index].b)
          case .sbAddiw:
            guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            x.addiw(ops[index].b)
          case .sbLbu:
            guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            guard x.lbu(ops[index].b, memory) else { return TraceExit(.second, index, left) }
          case .sbBne:
            guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
            if x.bne(ops[index].b) { break taken }
          }
          index &+= 1
          continue
        }
        // A branch that is taken.
        left &-= Int(ops[index].count)
        index = Int(ops[index].link)
        if left < 0 { return TraceExit(.budget, index, left) }
        continue
      }
      left &-= Int(ops[index].count)
      index = CodeCache.entry(pc, pages, entries)
      if index == 0 || left < 0 { return TraceExit(.missing, index, left, pc: pc) }
    }
  }
}
