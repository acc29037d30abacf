import FSRState

/// A hart's integer registers.
///
/// There are 256 places, so that an index of one byte needs no check. x0 to x31 come first; what is written to
/// x0 goes to `discarded`, and nobody reads that.
struct Registers: BitwiseCopyable {
  /// The place that takes what is written to x0.
  static let discarded: UInt8 = 32
  /// A place for a value on its way from one operation to the next.
  static let scratch: UInt8 = 33

  private var places = InlineArray<256, UInt64>(repeating: 0)

  // Reading counts as changing, so that it happens in place: by value, all of them would be copied first.

  subscript(_ number: UInt8) -> UInt64 {
    @inline(__always) mutating get { places[Int(number)] }
    @inline(__always) set { places[Int(number)] = newValue }
  }

  subscript(_ number: Int) -> UInt64 {
    @inline(__always) mutating get { places[number] }
    @inline(__always) set { places[number] = newValue }
  }

  /// Appends x1 to x31, of a hart that does not run, without an array: the guest stands still meanwhile.
  mutating func save(to writer: inout ByteWriter) {
    for number in 1..<32 { writer.write(self[number]) }
  }
}
