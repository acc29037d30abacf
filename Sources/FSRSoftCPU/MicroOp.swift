/// One decoded instruction, in 8 bytes.
struct MicroOp: BitwiseCopyable {
  var operation: Operation
  /// The target register; x0 as target is `discarded`. The top bit says that the instruction is compressed.
  private(set) var target: UInt8
  var first: UInt8
  /// The second source register, or the immediate of a CSR operation.
  var second: UInt8
  /// The immediate; for operations that may be refused by what they name (CSRs, illegal ones) all bits of
  /// the instruction.
  var immediate: Int32

  /// The register that takes what is written to x0.
  static let discarded = Registers.discarded

  init(_ operation: Operation, rd: UInt32 = 0, rs1: UInt32 = 0, rs2: UInt32 = 0, _ immediate: Int32 = 0) {
    self.operation = operation
    target = rd == 0 ? Self.discarded : UInt8(truncatingIfNeeded: rd & 31)
    first = UInt8(truncatingIfNeeded: rs1 & 31)
    second = UInt8(truncatingIfNeeded: rs2 & 31)
    self.immediate = immediate
  }

  /// The instruction that `op` was made from, where it is a rare one or an access alone.
  init(_ op: TraceOp, length: UInt8) {
    guard let operation = Operation(rawValue: op.b.target) else {
      preconditionFailure("the operation was kept")
    }
    self.operation = operation
    (target, first, second) = (op.a.target, op.a.first, op.a.second)
    immediate = op.a.immediate
    if length == 2 { target |= 0x80 }
  }

  /// The same, two bytes long.
  var compressed: MicroOp {
    var op = self
    op.target |= 0x80
    return op
  }

  /// Bytes of the instruction.
  @inline(__always) var length: UInt64 { 4 &- UInt64(target &>> 6 & 2) }

  /// The immediate, sign-extended.
  @inline(__always) var extended: UInt64 { UInt64(bitPattern: Int64(immediate)) }
}
