/// Why the loop over traces was left, and where.
struct TraceExit: BitwiseCopyable {
  enum Reason: UInt8, BitwiseCopyable {
    /// The instructions are used up, before the trace at `index`.
    case budget
    /// The trace to go on with is not known; the mark at `index` holds its address.
    case unlinked
    /// No trace is known at `pc`.
    case missing
    /// The instruction at `index` is done outside.
    case rare
    /// The first instruction at `index` accesses something else than RAM; it did nothing yet.
    case first
    /// The second one does, behind the first, which is done.
    case second
  }

  let reason: Reason
  let index: Int
  /// What is left of the instructions, without those of the trace under way.
  let left: Int
  let pc: UInt64

  @inline(__always)
  init(_ reason: Reason, _ index: Int, _ left: Int, pc: UInt64 = 0) {
    self.reason = reason
    self.index = index
    self.left = left
    self.pc = pc
  }
}
