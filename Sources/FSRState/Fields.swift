/// Tagged values of one message or manifest: tag (16 bits), length (32 bits), value, all little-endian.
///
/// A reader skips tags it does not know, so that a newer writer may add some; it refuses a tag that comes
/// twice, more than `Fields.limit` of them, and bytes left over.
public enum Fields {
  /// How many fields one message may have.
  public static let limit = 1024
}

/// Writes tagged values.
public struct FieldWriter: Sendable {
  private var writer = ByteWriter()

  public init() {}

  public var bytes: [UInt8] { writer.bytes }

  public mutating func put(_ tag: UInt16, _ value: [UInt8]) {
    writer.write(tag)
    writer.write(counted: value)
  }

  public mutating func put<T: FixedWidthInteger>(_ tag: UInt16, _ value: T) {
    var inner = ByteWriter(capacity: 8)
    inner.write(value)
    put(tag, inner.bytes)
  }

  public mutating func put(_ tag: UInt16, _ value: String) { put(tag, Array(value.utf8)) }

  /// A list as one value: its count, then what `each` writes of every element.
  public mutating func put<Element>(_ tag: UInt16, list: [Element], each: (Element, inout ByteWriter) -> Void)
  {
    var inner = ByteWriter()
    inner.write(UInt32(list.count))
    for element in list { each(element, &inner) }
    put(tag, inner.bytes)
  }
}

/// Reads tagged values that nobody is to be trusted with.
public struct FieldReader: Sendable {
  private let values: [UInt16: [UInt8]]

  public init(_ bytes: [UInt8]) throws(StateError) {
    var reader = ByteReader(bytes)
    var values: [UInt16: [UInt8]] = [:]
    while reader.remaining > 0 {
      let tag = try reader.read(UInt16.self)
      guard values[tag] == nil else { throw .invalid("field that comes twice", UInt64(tag)) }
      guard values.count < Fields.limit else { throw .tooLong(values.count + 1, limit: Fields.limit) }
      values[tag] = try reader.readCounted(limit: bytes.count)
    }
    self.values = values
  }

  /// The value of `tag`, nil where the writer left it out.
  public func bytes(_ tag: UInt16) -> [UInt8]? { values[tag] }

  public func integer<T: FixedWidthInteger>(_ tag: UInt16, as type: T.Type = T.self) throws(StateError) -> T {
    guard let value = values[tag] else { throw .invalid("missing field", UInt64(tag)) }
    var reader = ByteReader(value)
    let result = try reader.read(type)
    try reader.finish()
    return result
  }

  public func string(_ tag: UInt16, limit: Int) throws(StateError) -> String {
    guard let value = values[tag] else { throw .invalid("missing field", UInt64(tag)) }
    guard value.count <= limit else { throw .tooLong(value.count, limit: limit) }
    guard let text = String(validating: value, as: UTF8.self) else { throw .notText }
    return text
  }

  /// The elements of a list, `limit` at most; an absent list is empty.
  public func list<Element>(
    _ tag: UInt16, limit: Int, each: (inout ByteReader) throws(StateError) -> Element
  ) throws(StateError) -> [Element] {
    guard let value = values[tag] else { return [] }
    var reader = ByteReader(value)
    let count = Int(try reader.read(UInt32.self))
    guard count <= limit else { throw .tooLong(count, limit: limit) }
    var elements: [Element] = []
    for _ in 0..<count { elements.append(try each(&reader)) }
    try reader.finish()
    return elements
  }
}
