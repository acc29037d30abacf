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
  private static let traceRoom = longestTrace * 3 + 4

  /// A page of code with traces that start in it.
  struct Page: BitwiseCopyable {
    /// The page's address; 1, which is none, where there is no page.
    var address: UInt64
    /// The entry of its first halfword.
    var first: Int
  }

  var ops: [TraceOp] = []
  var marks: [TraceMark] = []
  private(set) var pages = [Page](repeating: Page(address: 1, first: 0), count: pageLimit)
  /// A trace's start for each halfword of a page; 0 where none starts.
  private(set) var entries: [Int32] = []
  /// Rises with each drop: what was known of operations before is void.
  private(set) var generation = 0
  /// The ways out of the trace under way.
  var exits: [(op: Int, pc: UInt64)] = []

  /// Bytes that are reserved ahead.
  static let room =
    operationLimit * (MemoryLayout<TraceOp>.stride + MemoryLayout<TraceMark>.stride)
    + pageLimit * entriesPerPage * MemoryLayout<Int32>.stride

  init() {
    reserve()
    drop()
  }

  private mutating func reserve() {
    ops.reserveCapacity(Self.operationLimit)
    marks.reserveCapacity(Self.operationLimit)
    entries.reserveCapacity(Self.pageLimit * Self.entriesPerPage)
    exits.reserveCapacity(Self.longestTrace)
    // The first traces are made in a hurry: their memory is there already.
    let ahead = 4096
    ops.append(contentsOf: repeatElement(TraceOp(.unlinked), count: ahead))
    marks.append(contentsOf: repeatElement(TraceMark(pc: 0, count: 0, length: 0), count: ahead))
    entries.append(contentsOf: repeatElement(0, count: 8 * Self.entriesPerPage))
  }

  /// Drops everything that was decoded.
  mutating func drop() {
    // A hart that is restored in a switch has decoded nothing yet.
    guard ops.count != 1 || !entries.isEmpty else { return }
    generation &+= 1
    for index in pages.indices { pages[index].address = 1 }
    entries.removeAll(keepingCapacity: true)
    ops.removeAll(keepingCapacity: true)
    marks.removeAll(keepingCapacity: true)
    // Index 0 is no trace.
    append(TraceOp(.unlinked), TraceMark(pc: 0, count: 0, length: 0))
  }

  /// Lets operation `op`, for which the loop was left, go to the trace `start` from now on.
  mutating func link(_ op: Int, to start: Int) {
    let link = Int32(truncatingIfNeeded: start)
    switch ops[op].step {
    case .rare: ops[op].link = link
    case .unlinked:
      let from = Int(ops[op].a.immediate)
      ops[from].link = link
      if from == op { makeJump(op) }
    default: break
    }
  }

  /// The trace at `pc` if that was linked to the rare operation `op`; otherwise 0.
  func start(after op: Int, at pc: UInt64) -> Int {
    let start = Int(ops[op].link)
    return marks[start].pc == pc ? start : 0
  }

  /// The trace that starts at `pc`, made if there is none; nil where no instruction lies in RAM.
  mutating func trace(at pc: UInt64, _ memory: GuestMemory) -> Int? {
    if let known = entry(pc) { return known }
    if ops.count + Self.traceRoom > Self.operationLimit { drop() }
    guard let op = Self.fetch(pc, memory) else { return nil }
    let start = ops.count
    setEntry(pc, Int32(truncatingIfNeeded: start))
    translate(op, pc, limit: Self.longestTrace, memory)
    return start
  }

  /// A trace of `op` alone, at the end; `forget` takes it away.
  mutating func single(_ op: MicroOp, _ pc: UInt64, _ memory: GuestMemory) -> Int {
    if ops.count + Self.traceRoom > Self.operationLimit { drop() }
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

  func entry(_ pc: UInt64) -> Int? {
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

  mutating func append(_ op: TraceOp, _ mark: TraceMark) {
    ops.append(op)
    marks.append(mark)
  }
}
