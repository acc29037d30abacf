package import FSRSystem

/// The key that leaves a console; nil stands for none.
package struct EscapeKey: Equatable, Sendable, CustomStringConvertible {
  /// What the terminal sends for it; nil for no key.
  package let byte: UInt8?

  package static let standard = EscapeKey(byte: 0x1d)

  /// `none`, one printable ASCII character, or a control key as `^]` or `Ctrl-]`.
  package init(parsing text: String) throws(ValueError) {
    if text == "none" {
      byte = nil
      return
    }
    var rest = text[...]
    var isControl = false
    for prefix in ["^", "Ctrl-", "ctrl-", "C-"] where text.count > prefix.count && text.hasPrefix(prefix) {
      rest = text.dropFirst(prefix.count)
      isControl = true
    }
    guard rest.utf8.count == 1, let key = rest.uppercased().utf8.first, (0x21...0x7e).contains(key) else {
      throw ValueError("'\(text)' is no key: write ^], Ctrl-], one character, or none")
    }
    guard isControl else {
      byte = rest.utf8.first
      return
    }
    // The control keys are @, the letters, [ \ ] ^ _, and ? for delete.
    guard (0x40...0x5f).contains(key) || key == 0x3f else {
      throw ValueError("'\(text)' is no control key: those are @, A to Z, [, \\, ], ^, _ and ?")
    }
    byte = key ^ 0x40
  }

  private init(byte: UInt8?) { self.byte = byte }

  package var description: String {
    guard let byte else { return "none" }
    if byte < 0x20 || byte == 0x7f { return "Ctrl-" + String(UnicodeScalar(byte ^ 0x40)) }
    return String(UnicodeScalar(byte))
  }
}
