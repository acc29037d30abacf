import FSRCommands
import Testing

@Suite struct PlainTextTests {
  private static func filtered(_ parts: [[UInt8]]) -> String {
    var text = PlainText()
    return parts.map { text.take($0) }.joined() + text.finish()
  }

  @Test func controlCharactersAreWrittenOut() {
    let hostile = "a\u{1b}[2Jb\u{07}\r\u{7f}\u{9b}m\u{202e}\u{2028}\0"
    #expect(
      PlainText.line(hostile) == #"a\u{1b}[2Jb\u{7}\u{d}\u{7f}\u{9b}m\u{202e}\u{2028}\u{0}"#)
    #expect(PlainText.line("one\ntwo\t") == #"one\u{a}two\u{9}"#)
    #expect(Self.filtered([Array("one\ntwo\tµ\u{1b}".utf8)]) == "one\ntwo\tµ" + #"\u{1b}"#)
  }

  @Test func aCharacterMayBeCutAnywhere() {
    let bytes = Array("aµ€\u{1f600}\u{9b}z".utf8)
    for cut in 0...bytes.count {
      let whole = Self.filtered([Array(bytes[..<cut]), Array(bytes[cut...])])
      #expect(whole == "aµ€\u{1f600}" + #"\u{9b}z"#)
    }
    #expect(Self.filtered(bytes.map { [$0] }) == "aµ€\u{1f600}" + #"\u{9b}z"#)
  }

  @Test func whatIsNoTextIsHarmless() {
    let every = (0...255).map { UInt8($0) }
    let texts: [[UInt8]] = [
      every, every.reversed(), [0xf0, 0x9f], [0xc2], [0x80, 0x9b], Array(repeating: 0x9b, count: 9),
    ]
    for bytes in texts {
      let text = Self.filtered(bytes.map { [$0] })
      #expect(text == Self.filtered([bytes]))
      let controls = text.unicodeScalars.filter { $0.properties.generalCategory == .control }
      #expect(controls.allSatisfy { $0 == "\n" || $0 == "\t" })
    }
  }
}
