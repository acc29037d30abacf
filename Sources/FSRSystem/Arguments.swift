internal import CFSRLinux
internal import Glibc

/// What this process was called with. Swift's own list is read from /proc, which need not be there.
public enum Arguments {
  /// All of them, the program's name first, to look at: what is no text is repaired in it.
  public static let all: [String] = bytes.map { String(decoding: $0, as: UTF8.self) }

  /// All of them as they are: what people type, and what files are called, need not be text.
  public static let bytes: [[UInt8]] = {
    var count: Int32 = 0
    // SAFETY: the kernel's array of so many C strings, which lives as long as the process.
    guard let first = unsafe cfsr_arguments(&count) else { return [] }
    return (0..<Int(count)).compactMap { index in
      // SAFETY: as above.
      guard let text = unsafe first[index] else { return nil }
      return unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }
  }()

  /// The first of `arguments` that is not UTF-8, with what is no text in it written out, as `con\xe9.log`; nil where
  /// all are.
  public static func flaw(in arguments: [[UInt8]]) -> String? {
    arguments.first { String(validating: $0, as: UTF8.self) == nil }.map(escaped)
  }

  private static func escaped(_ bytes: [UInt8]) -> String {
    var text = ""
    for byte in bytes {
      if (0x20..<0x7f).contains(byte) {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += "\\x" + String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
      }
    }
    return text
  }
}
