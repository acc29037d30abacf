/// Appends little-endian values to bytes; the only writer of anything that is carried.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8]

  /// - Parameter capacity: bytes to set aside ahead, so that writing them does not allocate.
  public init(capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// Appends an integer, least significant byte first.
  @inlinable
  public mutating func write<T: FixedWidthInteger>(_ value: T) {
    var rest = value
    for _ in 0..<(T.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  @usableFromInline mutating func append(_ byte: UInt8) { bytes.append(byte) }

  public mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

  /// Appends bytes as they are: the reader has to know how many.
  public mutating func write(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }

  /// Appends bytes behind their count in 32 bits.
  public mutating func write(counted value: [UInt8]) {
    write(UInt32(value.count))
    bytes.append(contentsOf: value)
  }

  /// Appends a string's UTF-8 behind its count in 32 bits.
  public mutating func write(_ value: String) { write(counted: Array(value.utf8)) }

  /// How many bytes were written.
  public var count: Int { bytes.count }

  /// Appends `name`, and `.index` behind it if there is one, without building a string.
  mutating func write(name: String, index: Int?) {
    for byte in name.utf8 { bytes.append(byte) }
    guard let index else { return }
    bytes.append(UInt8(ascii: "."))
    if index >= 10 { bytes.append(UInt8(ascii: "0") + UInt8(index / 10 % 10)) }
    bytes.append(UInt8(ascii: "0") + UInt8(index % 10))
  }

  /// Replaces bytes written before.
  mutating func overwrite<T: FixedWidthInteger>(at position: Int, with value: T) {
    for index in 0..<(T.bitWidth / 8) {
      bytes[position + index] = UInt8(truncatingIfNeeded: value >> T(index * 8))
    }
  }

  /// Empties the writer and keeps what it set aside.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
