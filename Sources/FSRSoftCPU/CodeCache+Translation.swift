import FSRMemory

/// A trace that is being made.
struct TraceUnderWay {
  /// The next instruction's address.
  var pc: UInt64
  /// Instructions so far.
  var count = 0
  /// The operation that the next instruction may be fused with.
  var last: Int?
  /// Where the instruction of `last` ends, and the number of the next one: an access that follows elsewhere has
  /// an address that the mark does not tell.
  var lastEnd: UInt64 = 0
  var lastCount = 0
  /// Where the call that the trace followed last is to return to.
  var returnsTo: UInt64?

  init(pc: UInt64) { self.pc = pc }
}

extension CodeCache {
  /// Appends the trace of at most `limit` instructions that starts with `first` at `start`.
  mutating func translate(_ first: MicroOp, _ start: UInt64, limit: Int, _ memory: GuestMemory) {
    exits.removeAll(keepingCapacity: true)
    var trace = TraceUnderWay(pc: start)
    var op = first
    while true {
      let next = trace.pc &+ op.length
      if add(op, &trace) { break }
      let goesOn = trace.count < limit && entry(trace.pc) == nil && !isSplit(trace.pc, behind: next)
      guard goesOn, let next = Self.fetch(trace.pc, memory) else {
        end(trace)
        break
      }
      op = next
    }
    for exit in exits {
      ops[exit.op].link = Int32(truncatingIfNeeded: ops.count)
      append(
        TraceOp(.unlinked, a: .init(Int32(truncatingIfNeeded: exit.op))),
        TraceMark(pc: exit.pc, count: 0, length: 0))
    }
  }

  /// Whether the code at `pc`, after an instruction that ends at `next`, is likely to be in other traces too and
  /// is not to be there twice: where a jump or a branch of this trace goes.
  private func isSplit(_ pc: UInt64, behind next: UInt64) -> Bool {
    ops.count > Self.copyLimit && (pc != next || exits.contains { $0.pc == pc })
  }

  /// Goes on elsewhere, with the trace at `trace.pc`.
  private mutating func end(_ trace: TraceUnderWay) {
    let op = ops.count
    append(
      TraceOp(.unlinked, a: .init(Int32(truncatingIfNeeded: op)), count: trace.count),
      TraceMark(pc: trace.pc, count: UInt8(trace.count), length: 0))
    if let known = entry(trace.pc) { link(op, to: known) }
  }

  /// Makes a jump of the end of a trace; where the operation before it can do that too, it does.
  mutating func makeJump(_ op: Int) {
    ops[op].step = .jump
    if let fused = ops[op - 1].fused(with: ops[op]) { ops[op - 1] = fused }
  }

  // MARK: instructions

  /// Adds an instruction; answers whether the trace ends with it.
  private mutating func add(_ op: MicroOp, _ trace: inout TraceUnderWay) -> Bool {
    let pc = trace.pc
    let next = pc &+ op.length
    switch op.operation {
    case .lui: addConstant(op.extended, op, &trace)
    case .auipc: addConstant(pc &+ op.extended, op, &trace)
    case .jal:
      addConstant(next, op, &trace)
      if op.target & 63 == 1 { trace.returnsTo = next }
      trace.pc = pc &+ op.extended
      return false
    case .jalr: return addJalr(op, &trace)
    case .beq, .bne, .blt, .bge, .bltu, .bgeu:
      let b = TraceOp.Half(first: op.first, second: op.second)
      emit(TraceOp(Step(op.operation), b: b, count: trace.count + 1), op, &trace)
      exits.append((ops.count - 1, pc &+ op.extended))
    case .lb, .lh, .lw, .ld, .lbu, .lhu, .lwu, .sb, .sh, .sw, .sd, .fence,
      .amoswapw, .amoswapd, .amoaddw, .amoaddd:
      emit(TraceOp(op), op, &trace)
    case let rare where rare.isRare:
      emit(TraceOp(op), op, &trace)
      return true
    default: addArithmetic(op, &trace)
    }
    trace.pc = next
    return false
  }

  /// Copying a register is adding 0 to it: that is fused with more.
  private mutating func addArithmetic(_ op: MicroOp, _ trace: inout TraceUnderWay) {
    let half = TraceOp.Half(op)
    if half.target == Registers.discarded {
      addNothing(op, &trace)
    } else if op.operation == .add, op.first == 0 || op.second == 0 {
      let copy = TraceOp.Half(target: half.target, first: op.first | op.second)
      emit(TraceOp(.addi, a: copy), op, &trace)
    } else {
      emit(TraceOp(op), op, &trace)
    }
  }

  /// An instruction without effect takes room only where the trace would not begin at its address.
  private mutating func addNothing(_ op: MicroOp, _ trace: inout TraceUnderWay) {
    if trace.count == 0 { emit(TraceOp(.nothing), op, &trace) } else { trace.count += 1 }
  }

  private mutating func addConstant(_ value: UInt64, _ op: MicroOp, _ trace: inout TraceUnderWay) {
    let target = op.target & 63
    if target == Registers.discarded { return addNothing(op, &trace) }
    emit(Self.constant(value, target), op, &trace)
  }

  private static func constant(_ value: UInt64, _ target: UInt8) -> TraceOp {
    let low = Int32(truncatingIfNeeded: value)
    let half = TraceOp.Half(target: target, low)
    if UInt64(bitPattern: Int64(low)) == value { return TraceOp(.addi, a: half) }
    if half.unsigned == value { return TraceOp(.address, a: half) }
    return TraceOp(.wideConstant, a: half, b: .init(Int32(truncatingIfNeeded: value >> 32)))
  }

  /// An indirect jump ends the trace, but for a return from a call that the trace followed.
  private mutating func addJalr(_ op: MicroOp, _ trace: inout TraceUnderWay) -> Bool {
    let count = trace.count + 1
    let jump = TraceOp.Half(target: op.target & 63, first: op.first, op.immediate)
    let link = trace.pc &+ op.length
    let low = TraceOp.Half(Int32(truncatingIfNeeded: link))
    if jump.target == Registers.discarded {
      if let target = trace.returnsTo, target >> 32 == 0, op.first == 1, op.immediate == 0 {
        let b = TraceOp.Half(first: op.first, Int32(truncatingIfNeeded: target))
        emit(TraceOp(.returns, b: b, count: count), op, &trace)
        trace.returnsTo = nil
        trace.pc = target
        return false
      }
      emit(TraceOp(.jr, b: jump, count: count), op, &trace)
    } else if low.unsigned == link {
      emit(TraceOp(.jalr, a: low, b: jump, count: count), op, &trace)
    } else {
      append(
        Self.constant(link, Registers.scratch),
        TraceMark(pc: trace.pc, count: UInt8(trace.count), length: 0))
      trace.last = nil
      emit(TraceOp(.farJalr, b: jump, count: count), op, &trace)
    }
    return true
  }

  /// Appends what was made of the instruction `op`, or fuses it with the operation before.
  private mutating func emit(_ new: TraceOp, _ op: MicroOp, _ trace: inout TraceUnderWay) {
    let follows = trace.lastEnd == trace.pc && trace.lastCount == trace.count
    if let last = trace.last, follows || !new.step.isAccess, let fused = ops[last].fused(with: new) {
      ops[last] = fused
      trace.last = nil
    } else {
      trace.last = ops.count
      append(new, TraceMark(pc: trace.pc, count: UInt8(trace.count), length: UInt8(op.length)))
    }
    trace.count += 1
    trace.lastEnd = trace.pc &+ op.length
    trace.lastCount = trace.count
  }
}
