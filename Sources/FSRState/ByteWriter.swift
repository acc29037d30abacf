/// Appends little-endian values to bytes; the only writer of anything that is carried.
///
/// To an array of its own, which grows, or to a sink, which does not: what a sink has no room for is counted and left out.
public struct ByteWriter: Sendable {
  /// Room, of which the first `count` bytes are written; none of it where there is a sink.
  @usableFromInline var storage: [UInt8]
  @usableFromInline let sink: (any ByteSink)?
  /// Bytes that the sink has room for, asked once; nil where there is none. Whoever writes an integer looks here, since a
  /// look at the reference counts it up and down.
  @usableFromInline let room: Int?
  @usableFromInline var written = 0

  /// How many bytes were written, or would have been with more room.
  @inlinable public var count: Int { written }

  /// - Parameter capacity: bytes to set aside ahead, so that writing them does not allocate.
  public init(capacity: Int = 0) {
    storage = [UInt8](repeating: 0, count: capacity)
    sink = nil
    room = nil
  }

  /// A writer that never allocates.
  public init(to sink: any ByteSink) {
    storage = []
    self.sink = sink
    room = sink.capacity
  }

  /// What was written, to an array.
  public var bytes: [UInt8] {
    precondition(sink == nil, "what is in a sink is read there")
    return Array(storage[..<written])
  }

  /// Makes room for `more` bytes behind the written ones, and counts them as written.
  @usableFromInline mutating func advance(by more: Int) -> Int {
    let start = written
    if storage.count - start < more {
      storage.append(contentsOf: repeatElement(0, count: max(more, storage.count)))
    }
    written = start + more
    return start
  }

  /// Appends an integer of 64 bits at most, least significant byte first.
  @inlinable
  public mutating func write<T: FixedWidthInteger>(_ value: T) {
    let width = T.bitWidth / 8
    if let room {
      let start = written
      written = start + width
      if written <= room { sink?.put(UInt64(truncatingIfNeeded: value), width: width, at: start) }
      return
    }
    let start = advance(by: width)
    var span = storage.mutableSpan
    for index in 0..<width {
      span[start &+ index] = UInt8(truncatingIfNeeded: value &>> T(index * 8))
    }
  }

  public mutating func write(_ value: Bool) { write(UInt8(value ? 1 : 0)) }

  /// Appends bytes as they are: the reader has to know how many.
  public mutating func write(raw: some Collection<UInt8>) {
    if room != nil {
      for byte in raw { write(byte) }
      return
    }
    let start = advance(by: raw.count)
    storage.replaceSubrange(start..<count, with: raw)
  }

  /// Appends bytes as they are, in one piece.
  public mutating func write(raw: [UInt8]) {
    if let room {
      let start = written
      written = start + raw.count
      if written <= room { sink?.put(raw, at: start) }
      return
    }
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
    if let room {
      if position + T.bitWidth / 8 <= room {
        sink?.put(UInt64(truncatingIfNeeded: value), width: T.bitWidth / 8, at: position)
      }
      return
    }
    var span = storage.mutableSpan
    for index in 0..<(T.bitWidth / 8) {
      span[position &+ index] = UInt8(truncatingIfNeeded: value &>> T(index * 8))
    }
  }
}
