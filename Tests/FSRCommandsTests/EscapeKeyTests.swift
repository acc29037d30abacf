import FSRCommands
import FSRSystem
import Testing

@Suite struct EscapeKeyTests {
  @Test(
    arguments: [
      ("^]", 0x1d, "Ctrl-]"), ("Ctrl-]", 0x1d, "Ctrl-]"), ("ctrl-a", 0x01, "Ctrl-A"),
      ("^A", 0x01, "Ctrl-A"),
      ("C-x", 0x18, "Ctrl-X"), ("^?", 0x7f, "Ctrl-?"), ("^@", 0x00, "Ctrl-@"), ("^^", 0x1e, "Ctrl-^"),
      ("~", 0x7e, "~"), ("q", 0x71, "q"), ("^", 0x5e, "^"), ("none", nil, "none"),
    ] as [(String, UInt8?, String)])
  func keysAreReadAsPeopleWriteThem(text: String, byte: UInt8?, shown: String) throws {
    let key = try EscapeKey(parsing: text)
    #expect(key.byte == byte && key.description == shown)
    #expect(try EscapeKey(parsing: shown) == key)
  }

  @Test(arguments: ["", " ", "\n", "ab", "é", "^ab", "^1", "Ctrl-", "Ctrl-é", "F1", "None", "^é", "^ß"])
  func whatIsNoKeyIsRefused(text: String) {
    #expect(throws: ValueError.self) { try EscapeKey(parsing: text) }
  }
}
