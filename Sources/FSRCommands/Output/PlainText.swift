/// Text of others made harmless for a terminal: what would move its cursor, colour it or hide something is written
/// out, as `\\u{1b}`.
package struct PlainText {
  /// Bytes of a character that has not come to its end.
  private var rest: [UInt8] = []

  package init() {}

  /// One line, whatever is in it.
  package static func line(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.flatMap { escaped($0, isLine: true) }))
  }

  /// The text of the next bytes of a stream; line breaks and tabs stay. A character may be cut in two by the stream,
  /// and what is no UTF-8 becomes U+FFFD.
  package mutating func take(_ bytes: [UInt8]) -> String {
    var whole = rest + bytes
    rest = Array(whole.suffix(Self.unfinished(at: whole)))
    whole.removeLast(rest.count)
    return Self.text(whole)
  }

  /// What was held back at the stream's end.
  package mutating func finish() -> String {
    defer { rest = [] }
    return Self.text(rest)
  }

  private static func text(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    return String(String.UnicodeScalarView(text.unicodeScalars.flatMap { escaped($0, isLine: false) }))
  }

  private static func escaped(_ scalar: Unicode.Scalar, isLine: Bool) -> [Unicode.Scalar] {
    if !isLine, scalar == "\n" || scalar == "\t" { return [scalar] }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator:
      return Array("\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
    default: return [scalar]
    }
  }

  /// How many bytes at the end are the beginning of a character.
  private static func unfinished(at bytes: [UInt8]) -> Int {
    for (index, byte) in bytes.suffix(3).reversed().enumerated() {
      if byte & 0xc0 == 0x80 { continue }
      let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
      return length > index + 1 ? index + 1 : 0
    }
    return 0
  }
}
