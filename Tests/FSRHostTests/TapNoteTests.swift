import FSRHost
import FSRSystem
import Testing

@Suite struct TapNoteTests {
  @Test func itReadsWhatItWrites() {
    let note = TapNote([
      TapNote.Entry(tap: "tap0", settings: TapSettings(headerSize: 10, offloads: 0x6f), mtu: 9000),
      TapNote.Entry(tap: "a.b", settings: TapSettings(headerSize: 12, offloads: 0)),
    ])
    #expect(TapNote(note.text) == note && TapNote("").entries.isEmpty)
  }

  @Test(arguments: [
    "tap0 10 7", "tap0 10 7 0 1", "a/b 10 7 0", "0123456789abcdef 10 7 0", "tap0 0 7 0", "tap0 -10 7 0",
    "tap0 10 -1 0", "tap0 10 7 67", "tap0 10 7 65522", "tap0 ten 7 0",
  ]) func aLineThatCannotBeIsLeftOut(line: String) {
    #expect(TapNote(line + "\ntap1 10 7 0\n").entries.map(\.tap) == ["tap1"])
  }
}
