/// Finds one note in a 64-bit little-endian ELF file, whose every number may be a lie.
enum ELFNotes {
  /// Program headers that are looked at.
  static let headerLimit = 256
  /// Bytes of one note segment that are looked at.
  static let noteLimit = 65536
  /// Bytes in a build id.
  static let idLimit = 64

  /// The GNU build id; nil when there is none, or the file is none that a linker made.
  static func buildID(of file: borrowing OwnedDescriptor) throws(SystemError) -> [UInt8]? {
    let head = try file.read(at: 0, count: 64)
    guard head.count == 64, Array(head[0..<6]) == [0x7f, 0x45, 0x4c, 0x46, 2, 1] else { return nil }
    let table = number(head, 32, 8)
    let size = Int(number(head, 54, 2))
    let count = min(Int(number(head, 56, 2)), headerLimit)
    guard size == 56, count > 0, table <= BuildIdentity.sizeLimit else { return nil }
    let headers = try file.read(at: table, count: size * count)
    for index in 0..<(headers.count / size) {
      let header = Array(headers[(index * size)..<((index + 1) * size)])
      let noteSegment: UInt64 = 4
      let offset = number(header, 8, 8)
      guard number(header, 0, 4) == noteSegment, offset <= BuildIdentity.sizeLimit else { continue }
      let length = Int(min(number(header, 32, 8), UInt64(noteLimit)))
      let alignment = number(header, 48, 8) == 8 ? 8 : 4
      if let id = buildID(in: try file.read(at: offset, count: length), alignment) { return id }
    }
    return nil
  }

  /// Walks notes: 4 bytes length of the name, 4 of the content, 4 type, then both, each padded.
  private static func buildID(in notes: [UInt8], _ alignment: Int) -> [UInt8]? {
    var offset = 0
    while notes.count - offset >= 12 {
      let nameLength = Int(number(notes, offset, 4))
      let contentLength = Int(number(notes, offset + 4, 4))
      let type = number(notes, offset + 8, 4)
      let content = padded(offset + 12 + nameLength, alignment)
      let end = content + contentLength
      guard end <= notes.count else { return nil }
      let isGNU = Array(notes[(offset + 12)..<(offset + 12 + nameLength)]) == Array("GNU\0".utf8)
      if isGNU, type == 3, contentLength > 0, contentLength <= idLimit { return Array(notes[content..<end]) }
      offset = padded(end, alignment)
    }
    return nil
  }

  private static func padded(_ offset: Int, _ alignment: Int) -> Int {
    (offset + alignment - 1) & ~(alignment - 1)
  }

  private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
    (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }
}
