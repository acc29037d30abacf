/// Multiplication and division where the architecture and Swift differ.
enum Arithmetic {
  /// Division by zero gives all ones, overflow the dividend.
  @inline(__always)
  static func quotient<T: FixedWidthInteger & SignedInteger>(_ dividend: T, _ divisor: T) -> T {
    if divisor == 0 { return -1 }
    return dividend.dividedReportingOverflow(by: divisor).partialValue
  }

  /// Division by zero gives all ones.
  @inline(__always)
  static func quotient<T: FixedWidthInteger & UnsignedInteger>(_ dividend: T, _ divisor: T) -> T {
    divisor == 0 ? .max : dividend / divisor
  }

  /// Division by zero gives the dividend, overflow 0.
  @inline(__always)
  static func remainder<T: FixedWidthInteger & SignedInteger>(_ dividend: T, _ divisor: T) -> T {
    if divisor == 0 { return dividend }
    return dividend.remainderReportingOverflow(dividingBy: divisor).partialValue
  }

  /// Division by zero gives the dividend.
  @inline(__always)
  static func remainder<T: FixedWidthInteger & UnsignedInteger>(_ dividend: T, _ divisor: T) -> T {
    divisor == 0 ? dividend : dividend % divisor
  }

  /// The upper half of a signed by an unsigned number.
  @inline(__always)
  static func highSignedUnsigned(_ signed: UInt64, _ unsigned: UInt64) -> UInt64 {
    let high = signed.multipliedFullWidth(by: unsigned).high
    return Int64(bitPattern: signed) < 0 ? high &- unsigned : high
  }
}
