/// Memory that a writer puts its bytes into as it goes, in place of an array of its own.
///
/// A reference, since two writers of one memory would be one too many anyway, and so that none of it is copied.
public protocol ByteSink: AnyObject, Sendable {
  /// Bytes that there is room for.
  var capacity: Int { get }
  /// Puts the lowest `width` bytes of `value` at `offset`, least significant first: 1, 2, 4 or 8, all within the capacity.
  func put(_ value: UInt64, width: Int, at offset: Int)
  /// Puts bytes at `offset`, all within the capacity.
  func put(_ bytes: [UInt8], at offset: Int)
}
