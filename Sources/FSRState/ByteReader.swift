/// Reads little-endian values from bytes that nobody is to be trusted with; never reads past the end.
public struct ByteReader: Sendable {
  @usableFromInline let bytes: [UInt8]
  @usableFromInline var position: Int
  @usableFromInline let end: Int

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    position = 0
    end = bytes.count
  }

  /// Bytes not read yet.
  @inlinable public var remaining: Int { end - position }

  /// The next integer, least significant byte first.
  ///
  /// Inlinable, because state is read in the stun, and an unspecialized generic costs a hundred times as much.
  ///
  /// - Throws: `StateError.truncated` where fewer bytes are left.
  @inlinable
  public mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(StateError) -> T {
    let width = T.bitWidth / 8
    guard remaining >= width else { throw .truncated(wanted: width, left: remaining) }
    var value: T = 0
    for index in 0..<width { value |= T(truncatingIfNeeded: bytes[position + index]) << (index * 8) }
    position += width
    return value
  }

  /// The next byte as a truth value; anything but 0 and 1 is refused.
  public mutating func readBool() throws(StateError) -> Bool {
    switch try read(UInt8.self) {
    case 0: return false
    case 1: return true
    case let other: throw .invalid("truth value", UInt64(other))
    }
  }

  /// The next `count` bytes.
  public mutating func read(count: Int) throws(StateError) -> [UInt8] {
    guard count >= 0, remaining >= count else { throw .truncated(wanted: count, left: remaining) }
    defer { position += count }
    return Array(bytes[position..<position + count])
  }

  /// Bytes behind their 32-bit count, `limit` of them at most.
  public mutating func readCounted(limit: Int) throws(StateError) -> [UInt8] {
    let count = Int(try read(UInt32.self))
    guard count <= limit else { throw .tooLong(count, limit: limit) }
    return try read(count: count)
  }

  /// UTF-8 behind its 32-bit count, `limit` bytes at most.
  public mutating func readString(limit: Int) throws(StateError) -> String {
    guard let text = String(validating: try readCounted(limit: limit), as: UTF8.self) else { throw .notText }
    return text
  }

  /// Says that all was read.
  ///
  /// - Throws: `StateError.trailing` where bytes are left.
  public func finish() throws(StateError) {
    if remaining > 0 { throw .trailing(remaining) }
  }
}
