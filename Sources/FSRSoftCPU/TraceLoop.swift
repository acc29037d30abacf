import FSRMachine
import FSRMemory
import Synchronization

/// The loop that executes traces.
///
/// One switch over all operations: the compiler makes one jump of it, and everything that the loop needs stays
/// in registers. Hence its length, and hence what is rare leaves it (`TraceExit`). Nothing in it allocates,
/// counts references or checks exclusivity.
enum TraceLoop {
  /// Executes traces, the first at `start`, until `left` is below 0 where one of them is left, or something else
  /// is to be done outside.
  @inline(never)
  static func run(
    _ x: inout Registers, _ cache: borrowing CodeCache, _ memory: GuestMemory, from start: Int, left credit: Int
  ) -> TraceExit {
    let ops = cache.ops.span
    let pages = cache.pages.span
    let entries = cache.entries.span
    var index = start
    var left = credit
    while true {

      switch ops[index].operation {
      case .constant:
        x[ops[index].a.target] = ops[index].a.extended
        index &+= 1
      case .address:
        x[ops[index].a.target] = ops[index].a.unsigned
        index &+= 1
      case .wideConstant:
        x[ops[index].a.target] = ops[index].a.unsigned | ops[index].b.extended &<< 32
        index &+= 1
      case .nothing:
        index &+= 1
      case .fence:
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        index &+= 1
      case .addi:
        x.addi(ops[index].a)
        index &+= 1
      case .slti:
        x.slti(ops[index].a)
        index &+= 1
      case .sltiu:
        x.sltiu(ops[index].a)
        index &+= 1
      case .xori:
        x.xori(ops[index].a)
        index &+= 1
      case .ori:
        x.ori(ops[index].a)
        index &+= 1
      case .andi:
        x.andi(ops[index].a)
        index &+= 1
      case .slli:
        x.slli(ops[index].a)
        index &+= 1
      case .srli:
        x.srli(ops[index].a)
        index &+= 1
      case .srai:
        x.srai(ops[index].a)
        index &+= 1
      case .addiw:
        x.addiw(ops[index].a)
        index &+= 1
      case .slliw:
        x.slliw(ops[index].a)
        index &+= 1
      case .srliw:
        x.srliw(ops[index].a)
        index &+= 1
      case .sraiw:
        x.sraiw(ops[index].a)
        index &+= 1
      case .add:
        x.add(ops[index].a)
        index &+= 1
      case .sub:
        x.sub(ops[index].a)
        index &+= 1
      case .sll:
        x.sll(ops[index].a)
        index &+= 1
      case .slt:
        x.slt(ops[index].a)
        index &+= 1
      case .sltu:
        x.sltu(ops[index].a)
        index &+= 1
      case .xor:
        x.xor(ops[index].a)
        index &+= 1
      case .srl:
        x.srl(ops[index].a)
        index &+= 1
      case .sra:
        x.sra(ops[index].a)
        index &+= 1
      case .or:
        x.or(ops[index].a)
        index &+= 1
      case .and:
        x.and(ops[index].a)
        index &+= 1
      case .addw:
        x.addw(ops[index].a)
        index &+= 1
      case .subw:
        x.subw(ops[index].a)
        index &+= 1
      case .sllw:
        x.sllw(ops[index].a)
        index &+= 1
      case .srlw:
        x.srlw(ops[index].a)
        index &+= 1
      case .sraw:
        x.sraw(ops[index].a)
        index &+= 1
      case .mul:
        x.mul(ops[index].a)
        index &+= 1
      case .mulh:
        x.mulh(ops[index].a)
        index &+= 1
      case .mulhsu:
        x.mulhsu(ops[index].a)
        index &+= 1
      case .mulhu:
        x.mulhu(ops[index].a)
        index &+= 1
      case .div:
        x.div(ops[index].a)
        index &+= 1
      case .divu:
        x.divu(ops[index].a)
        index &+= 1
      case .rem:
        x.rem(ops[index].a)
        index &+= 1
      case .remu:
        x.remu(ops[index].a)
        index &+= 1
      case .mulw:
        x.mulw(ops[index].a)
        index &+= 1
      case .divw:
        x.divw(ops[index].a)
        index &+= 1
      case .divuw:
        x.divuw(ops[index].a)
        index &+= 1
      case .remw:
        x.remw(ops[index].a)
        index &+= 1
      case .remuw:
        x.remuw(ops[index].a)
        index &+= 1
      case .lb:
        guard x.lb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .lh:
        guard x.lh(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .lw:
        guard x.lw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .ld:
        guard x.ld(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .lbu:
        guard x.lbu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .lhu:
        guard x.lhu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .lwu:
        guard x.lwu(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .sb:
        guard x.sb(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .sh:
        guard x.sh(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .sw:
        guard x.sw(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .sd:
        guard x.sd(ops[index].a, memory) else { return TraceExit(.first, index, left) }
        index &+= 1
      case .beq:
        if x.beq(ops[index].b) {
          left &-= Int(ops[index].count)
          index = Int(ops[index].link)
          if left < 0 { return TraceExit(.budget, index, left) }
        } else {
          index &+= 1
        }
      case .bne:
        if x.bne(ops[index].b) {
          left &-= Int(ops[index].count)
          index = Int(ops[index].link)
          if left < 0 { return TraceExit(.budget, index, left) }
        } else {
          index &+= 1
        }
      case .blt:
        if x.blt(ops[index].b) {
          left &-= Int(ops[index].count)
          index = Int(ops[index].link)
          if left < 0 { return TraceExit(.budget, index, left) }
        } else {
          index &+= 1
        }
      case .bge:
        if x.bge(ops[index].b) {
          left &-= Int(ops[index].count)
          index = Int(ops[index].link)
          if left < 0 { return TraceExit(.budget, index, left) }
        } else {
          index &+= 1
        }
      case .bltu:
        if x.bltu(ops[index].b) {
          left &-= Int(ops[index].count)
          index = Int(ops[index].link)
          if left < 0 { return TraceExit(.budget, index, left) }
        } else {
          index &+= 1
        }
      case .bgeu:
        if x.bgeu(ops[index].b) {
          left &-= Int(ops[index].count)
          index = Int(ops[index].link)
          if left < 0 { return TraceExit(.budget, index, left) }
        } else {
          index &+= 1
        }
      case .jump:
        left &-= Int(ops[index].count)
        index = Int(ops[index].link)
        if left < 0 { return TraceExit(.budget, index, left) }
      case .unlinked:
        return TraceExit(.unlinked, index, left &- Int(ops[index].count))
      case .returns:
        let pc = x.target(ops[index].a)
        if pc == ops[index].b.unsigned {
          index &+= 1
        } else {
          left &-= Int(ops[index].count)
          index = CodeCache.entry(pc, pages, entries)
          if index == 0 || left < 0 { return TraceExit(.missing, index, left, pc: pc) }
        }
      case .jr, .jalr, .farJalr:
        let pc = x.target(ops[index].a)
        if ops[index].operation == .jalr { x[ops[index].a.target] = ops[index].b.unsigned }
        if ops[index].operation == .farJalr { x[ops[index].a.target] = x[Registers.scratch] }
        left &-= Int(ops[index].count)
        index = CodeCache.entry(pc, pages, entries)
        if index == 0 || left < 0 { return TraceExit(.missing, index, left, pc: pc) }
      default:
        return TraceExit(.first, index, left)
      }
    }
  }
}
