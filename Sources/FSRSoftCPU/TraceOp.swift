/// One step of a trace, in 16 bytes: two halves, each with the operands of one instruction.
///
/// Most steps use half `a` alone. What may leave the trace uses `b`, and `link`, which is its immediate: so
/// nothing moves when it is fused behind another instruction.
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

  var step: Step
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

  init(_ step: Step, a: Half = Half(), b: Half = Half(), count: Int = 0) {
    self.step = step
    (target, first, second, immediate) = (a.target, a.first, a.second, a.immediate)
    (target2, first2, second2, link) = (b.target, b.first, b.second, b.immediate)
    self.count = UInt8(truncatingIfNeeded: count)
  }

  /// An instruction as it is; `b` holds what it was, for those that may be done outside the loop.
  init(_ op: MicroOp) {
    let was = Half(target: op.operation.rawValue)
    let step: Step =
      switch op.operation {
      case .amoswapw: .amoswapw
      case .amoswapd: .amoswapd
      case .amoaddw: .amoaddw
      case .amoaddd: .amoaddd
      case let rare where rare.isRare: .rare
      default: Step(op.operation)
      }
    self.init(step, a: Half(op), b: was)
  }

  /// This one and `next` in one; nil where there is no such step.
  func fused(with next: TraceOp) -> TraceOp? {
    guard let step = Step.fused(step, next.step) else { return nil }
    let b = next.step.leaves ? next.b : next.a
    return TraceOp(step, a: a, b: b, count: Int(next.count))
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
