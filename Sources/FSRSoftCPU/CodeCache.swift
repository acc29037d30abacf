import FSRMachine
import FSRMemory

/// Decoded code, as traces: the instructions from some address on as they follow each other while no branch is
/// taken. Unconditional jumps are followed, and so leave nothing behind.
///
/// A trace is entered at its start only. Where it may be left, the operation names the trace to go on with, once
/// that was looked for. A guest that writes over code may see the old one until `fence.i`, as the
/// architecture allows.
///
/// All of it lives in arrays whose room is reserved ahead, and which take memory as they fill. When they are
/// full everything is dropped and made again.
struct CodeCache {
  static let pageSize: UInt64 = 4096
  /// Instructions of a trace.
  static let longestTrace = 48
  /// Operations that are kept: some MiB of code.
  static let operationLimit = 1 << 20
  /// While there are fewer operations, traces may overlap: it makes them longer. Beyond, what counts is how
  /// much code the host's caches hold.
  static let copyLimit = 1 << 15
  /// Pages whose traces are found by their address, direct-mapped by page number: 4 MiB of code.
  static let pageLimit = 1024
  static let entriesPerPage = 2048
  /// What one trace takes at most: each instruction two operations and a way out, and the end.
  private static let room = longestTrace * 3 + 4

  /// A page of code with traces that start in it.
  struct Page: BitwiseCopyable {
    /// The page's address; 1, which is none, where there is no page.
    var address: UInt64
    /// The entry of its first halfword.
    var first: Int
  }

  private(set) var ops: [TraceOp] = []
  private(set) var marks: [TraceMark] = []
  private(set) var pages = [Page](repeating: Page(address: 1, first: 0), count: pageLimit)
  /// A trace's start for each halfword of a page; 0 where none starts.
  private(set) var entries: [Int32] = []
  /// Rises with each drop: what was known of operations before is void.
  private(set) var generation = 0
  /// The ways out of the trace under way.
  private var exits: [(op: Int, pc: UInt64)] = []

  func dbg() { print("ops", ops.count, "traces", entries.reduce(0){ $0 + ($1 != 0 ? 1 : 0)}, "gen", generation, "stubs", ops.reduce(0){ $0 + ($1.operation == .unlinked ? 1 : 0)}) }
  init() {
    ops.reserveCapacity(Self.operationLimit)
    marks.reserveCapacity(Self.operationLimit)
    entries.reserveCapacity(Self.pageLimit * Self.entriesPerPage)
    exits.reserveCapacity(Self.longestTrace)
    // The first traces are made in a hurry: their memory is there already.
    let ahead = 4096
    ops.append(contentsOf: repeatElement(TraceOp(.unlinked), count: ahead))
    marks.append(contentsOf: repeatElement(TraceMark(pc: 0, count: 0, length: 0), count: ahead))
    entries.append(contentsOf: repeatElement(0, count: 8 * Self.entriesPerPage))
    drop()
  }

  /// Drops everything that was decoded.
  mutating func drop() {
    generation &+= 1
    for index in pages.indices { pages[index].address = 1 }
    entries.removeAll(keepingCapacity: true)
    ops.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    // Index 0 is no trace.
    append(TraceOp(.unlinked), TraceMark(pc: 0, count: 0, length: 0))
  }

  /// Lets operation `op` go to the trace `start` from now on.
  mutating func link(_ op: Int, to start: Int) {
    let from = Int(ops[op].a.immediate)
    ops[from].link = Int32(truncatingIfNeeded: start)
    if from == op { ops[op].operation = .jump }
  }

  /// The trace that starts at `pc`, made if there is none; nil where no instruction lies in RAM.
  mutating func trace(at pc: UInt64, _ memory: GuestMemory) -> Int? {
    if let known = entry(pc) { return known }
    if ops.count + Self.room > Self.operationLimit { drop() }
    guard let op = Self.fetch(pc, memory) else { return nil }
    let start = ops.count
    setEntry(pc, Int32(truncatingIfNeeded: start))
    translate(op, pc, limit: Self.longestTrace, memory)
    return start
  }

  /// A trace of `op` alone, at the end; `forget` takes it away.
  mutating func single(_ op: MicroOp, _ pc: UInt64, _ memory: GuestMemory) -> Int {
    if ops.count + Self.room > Self.operationLimit { drop() }
    let start = ops.count
    translate(op, pc, limit: 1, memory)
    return start
  }

  mutating func forget(from start: Int) {
    ops.removeLast(ops.count - start)
    marks.removeLast(marks.count - start)
  }

  /// Decodes the instruction at `pc`, which is even; nil where it does not lie in RAM.
  static func fetch(_ pc: UInt64, _ memory: GuestMemory) -> MicroOp? {
    let offset = pc &- BoardMap.ram
    guard let low = memory.guestLoad(offset, as: UInt16.self) else { return nil }
    if low & 3 != 3 { return Decoder.decode(UInt32(low)) }
    guard let high = memory.guestLoad(offset &+ 2, as: UInt16.self) else { return nil }
    return Decoder.decode(UInt32(high) << 16 | UInt32(low))
  }

  // MARK: addresses

  /// The trace that starts at `pc`; 0 where none is known. The loop has the arrays at hand.
  @inline(__always)
  static func entry(_ pc: UInt64, _ pages: Span<Page>, _ entries: Span<Int32>) -> Int {
    let page = pages[Int(truncatingIfNeeded: pc / pageSize % UInt64(pageLimit))]
    guard page.address == pc & ~(pageSize - 1) else { return 0 }
    return Int(entries[page.first &+ Int(truncatingIfNeeded: pc % pageSize / 2)])
  }

  private func entry(_ pc: UInt64) -> Int? {
    let start = Self.entry(pc, pages.span, entries.span)
    return start == 0 ? nil : start
  }

  private mutating func setEntry(_ pc: UInt64, _ start: Int32) {
    let address = pc & ~(Self.pageSize - 1)
    let index = Int(pc / Self.pageSize % UInt64(Self.pageLimit))
    switch pages[index].address {
    case address: break
    case 1:
      pages[index] = Page(address: address, first: entries.count)
      entries.append(contentsOf: repeatElement(0, count: Self.entriesPerPage))
    default:
      // Another page's; its traces stay reachable from those that are linked to them.
      let first = pages[index].first
      pages[index].address = address
      for entry in first..<first + Self.entriesPerPage { entries[entry] = 0 }
    }
    entries[pages[index].first + Int(pc % Self.pageSize / 2)] = start
  }

  private mutating func append(_ op: TraceOp, _ mark: TraceMark) {
    ops.append(op)
    marks.append(mark)
  }
}

// MARK: translation

extension CodeCache {
  /// Appends the trace of at most `limit` instructions that starts with `first` at `start`.
  private mutating func translate(_ first: MicroOp, _ start: UInt64, limit: Int, _ memory: GuestMemory) {
    exits.removeAll(keepingCapacity: true)
    var trace = TraceUnderWay(start: ops.count, pc: start)
    var op = first
    while true {
      let isOver = add(op, &trace)
      if isOver { break }
      if trace.count == limit || entry(trace.pc) != nil || isSplit(trace.pc) {
        end(trace)
        break
      }
      guard let next = Self.fetch(trace.pc, memory) else {
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

  /// Whether a branch of the trace under way goes to `pc`, and what follows is not to be there twice.
  private func isSplit(_ pc: UInt64) -> Bool {
    ops.count > Self.copyLimit && exits.contains { $0.pc == pc }
  }

  /// Goes on with the trace at `trace.pc`.
  private mutating func end(_ trace: TraceUnderWay) {
    var op = TraceOp(.unlinked, a: .init(Int32(truncatingIfNeeded: ops.count)), count: trace.count)
    if let known = entry(trace.pc) {
      op.operation = .jump
      op.link = Int32(truncatingIfNeeded: known)
    }
    append(op, TraceMark(pc: trace.pc, count: UInt8(trace.count), length: 0))
  }

  /// Adds an instruction; answers whether the trace ends with it.
  private mutating func add(_ op: MicroOp, _ trace: inout TraceUnderWay) -> Bool {
    let pc = trace.pc
    let next = pc &+ op.length
    let half = TraceOp.Half(op)
    switch op.operation {
    case .lui: addConstant(op.extended, half.target, op, &trace)
    case .auipc: addConstant(pc &+ op.extended, half.target, op, &trace)
    case .jal:
      addConstant(next, half.target, op, &trace)
      if half.target == 1 { trace.returnsTo = next }
      trace.pc = pc &+ op.extended
      return false
    case .jalr: return addJalr(half, op, &trace)
    case .beq, .bne, .blt, .bge, .bltu, .bgeu:
      let b = TraceOp.Half(first: op.first, second: op.second)
      emit(TraceOp(op.operation, b: b, count: trace.count + 1), op, &trace)
      exits.append((ops.count - 1, pc &+ op.extended))
    case .lb, .lh, .lw, .ld, .lbu, .lhu, .lwu, .sb, .sh, .sw, .sd, .fence:
      emit(TraceOp(op.operation, a: half), op, &trace)
    case let rare where rare.isRare:
      emit(TraceOp(rare, a: half), op, &trace)
      return true
    default:
      if half.target == Registers.discarded {
        addNothing(op, &trace)
      } else {
        emit(TraceOp(op.operation, a: half), op, &trace)
      }
    }
    trace.pc = next
    return false
  }

  /// An instruction without effect takes room only where the trace would not begin at its address.
  private mutating func addNothing(_ op: MicroOp, _ trace: inout TraceUnderWay) {
    if trace.count == 0 { emit(TraceOp(.nothing), op, &trace) } else { trace.count += 1 }
  }

  private mutating func addConstant(_ value: UInt64, _ target: UInt8, _ op: MicroOp, _ trace: inout TraceUnderWay)
  {
    if target == Registers.discarded { return addNothing(op, &trace) }
    emit(Self.constant(value, target), op, &trace)
  }

  private static func constant(_ value: UInt64, _ target: UInt8) -> TraceOp {
    let low = Int32(truncatingIfNeeded: value)
    let half = TraceOp.Half(target: target, low)
    if UInt64(bitPattern: Int64(low)) == value { return TraceOp(.constant, a: half) }
    if UInt64(UInt32(bitPattern: low)) == value { return TraceOp(.address, a: half) }
    return TraceOp(.wideConstant, a: half, b: .init(Int32(truncatingIfNeeded: value >> 32)))
  }

  private mutating func addJalr(_ half: TraceOp.Half, _ op: MicroOp, _ trace: inout TraceUnderWay) -> Bool {
    let count = trace.count + 1
    let next = trace.pc &+ op.length
    let low = UInt32(truncatingIfNeeded: next)
    if half.target == Registers.discarded {
      if let target = trace.returnsTo, op.first == 1, op.immediate == 0, target >> 32 == 0, limitAllows(trace) {
        let b = TraceOp.Half(Int32(truncatingIfNeeded: target))
        emit(TraceOp(.returns, a: half, b: b, count: count), op, &trace)
        trace.returnsTo = nil
        trace.pc = target
        return false
      }
      emit(TraceOp(.jr, a: half, count: count), op, &trace)
    } else if UInt64(low) == next {
      emit(TraceOp(.jalr, a: half, b: .init(Int32(bitPattern: low)), count: count), op, &trace)
    } else {
      let mark = TraceMark(pc: trace.pc, count: UInt8(trace.count), length: 0)
      append(Self.constant(next, Registers.scratch), mark)
      emit(TraceOp(.farJalr, a: half, count: count), op, &trace)
    }
    return true
  }

  private func limitAllows(_ trace: TraceUnderWay) -> Bool { true }

  /// Appends the operation of the instruction `op`.
  private mutating func emit(_ new: TraceOp, _ op: MicroOp, _ trace: inout TraceUnderWay) {
    append(new, TraceMark(pc: trace.pc, count: UInt8(trace.count), length: UInt8(op.length)))
    trace.count += 1
  }
}

/// A trace that is being made.
private struct TraceUnderWay {
  /// Its first operation.
  let start: Int
  /// The next instruction's address.
  var pc: UInt64
  /// Instructions so far.
  var count = 0
  /// Where the call that the trace followed last is to return to.
  var returnsTo: UInt64?

  init(start: Int, pc: UInt64) {
    self.start = start
    self.pc = pc
  }
}
