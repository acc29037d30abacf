/// Appends little-endian values to bytes; the only writer of anything that is carried.
public struct ByteWriter: Sendable {
  /// Room, of which the first `count` bytes are written.
  @usableFromInline var storage: [UInt8]
  /// How many bytes were written.
  public private(set) var count = 0

  /// - Parameter capacity: bytes to set aside ahead, so that writing them does not allocate.
  public init(capacity: Int = 0) { storage = [UInt8](repeating: 0, count: capacity) }

  /// What was written.
  public var bytes: [UInt8] { Array(storage[..<count]) }

  /// Makes room for `more` bytes behind the written ones, and counts them as written.
  @usableFromInline mutating func advance(by more: Int) -> Int {
    let start = count
    if storage.count - start < more {
      storage.append(contentsOf: repeatElement(0, count: max(more, storage.count)))
    }
    count = start + more
    return start
  }

  /// Appends an integer, least significant byte first.
  @inlinable
  public mutating func write<T: FixedWidthInteger>(_ value: T) {
    let start = advance(by: T.bitWidth / 8)
    var room = storage.mutableSpan
    for index in 0..<(T.bitWidth / 8) {
      room[start &+ index] = UInt8(truncatingIfNeeded: value &>> T(index * 8))
    }
  }

  public mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

  /// Appends bytes as they are: the reader has to know how many.
  public mutating func write(raw: some Collection<UInt8>) {
    let start = advance(by: raw.count)
    storage.replaceSubrange(start..<count, with: raw)
  }

  /// Appends bytes behind their count in 32 bits.
  public mutating func write(counted value: [UInt8]) {
    write(UInt32(value.count))
    write(raw: value)
  }

  /// Appends a string's UTF-8 behind its count in 32 bits.
  public mutating func write(_ value: String) {
    write(UInt32(value.utf8.count))
    write(raw: value.utf8)
  }

  /// Appends `name`, and `.index` behind it if there is one, without building a string.
  mutating func write(name: String, index: Int?) {
    for byte in name.utf8 { write(byte) }
    guard let index else { return }
    write(UInt8(ascii: "."))
    if index >= 10 { write(UInt8(ascii: "0") + UInt8(index / 10 % 10)) }
    write(UInt8(ascii: "0") + UInt8(index % 10))
  }

  /// Replaces bytes written before.
  mutating func overwrite<T: FixedWidthInteger>(at position: Int, with value: T) {
    precondition(position + T.bitWidth / 8 <= count, "only what was written is replaced")
    var room = storage.mutableSpan
    for index in 0..<(T.bitWidth / 8) {
      room[position &+ index] = UInt8(truncatingIfNeeded: value &>> T(index * 8))
    }
  }
}
