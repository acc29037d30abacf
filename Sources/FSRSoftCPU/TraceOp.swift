/// One step of a trace, in 16 bytes: two halves, each with the operands of one instruction.
///
/// Most operations use half `a` alone. A branch uses `b` and `link`; so one that is fused behind another
/// instruction keeps its place.
struct TraceOp: BitwiseCopyable {
  /// The operands of one instruction.
  struct Half: BitwiseCopyable {
    var target: UInt8
    var first: UInt8
    var second: UInt8
    var immediate: Int32

    init(target: UInt8 = Registers.discarded, first: UInt8 = 0, second: UInt8 = 0, _ immediate: Int32 = 0) {
      self.target = target
      self.first = first
      self.second = second
      self.immediate = immediate
    }

    init(_ op: MicroOp) {
      self.init(target: op.target & 63, first: op.first, second: op.second, op.immediate)
    }

    /// The immediate, sign-extended.
    @inline(__always) var extended: UInt64 { UInt64(bitPattern: Int64(immediate)) }

    /// The immediate, zero-extended.
    @inline(__always) var unsigned: UInt64 { UInt64(UInt32(bitPattern: immediate)) }
  }

  var operation: Operation
  private var target: UInt8
  private var first: UInt8
  private var second: UInt8
  private var immediate: Int32
  private var target2: UInt8
  private var first2: UInt8
  private var second2: UInt8
  /// Where it may leave its trace: the instructions begun by then, from the trace's start.
  var count: UInt8
  /// Where it leaves its trace to: the index of an operation. Otherwise the immediate of half `b`.
  var link: Int32

  init(_ operation: Operation, a: Half = Half(), b: Half = Half(), count: Int = 0) {
    self.operation = operation
    (target, first, second, immediate) = (a.target, a.first, a.second, a.immediate)
    (target2, first2, second2, link) = (b.target, b.first, b.second, b.immediate)
    self.count = UInt8(truncatingIfNeeded: count)
  }

  /// The first instruction's operands.
  @inline(__always) var a: Half { Half(target: target, first: first, second: second, immediate) }

  /// The second one's.
  @inline(__always) var b: Half { Half(target: target2, first: first2, second: second2, link) }
}

/// Where an operation of a trace comes from.
struct TraceMark: BitwiseCopyable {
  /// The address of its first instruction; of an `unlinked` one, where it goes.
  var pc: UInt64
  /// Instructions of the trace before it.
  var count: UInt8
  /// Bytes of its first instruction: the second follows it.
  var length: UInt8
}
