import FSRCommands
import Testing

@Suite struct ProgressLineTests {
  private static let text = "2/5 web: starting the new VMM"

  @Test func aWideTerminalHasAWholeBar() {
    let line = ProgressLine(share: 0.5, Self.text, columns: 80).description
    #expect(line == "[\(String(repeating: "#", count: 15))\(String(repeating: "-", count: 15))] \(Self.text)")
  }

  @Test(arguments: 0...100) func itIsNeverWiderThanTheTerminal(columns: Int) {
    for share in [-1, 0, 0.3, 1, 7] {
      let line = ProgressLine(share: share, Self.text, columns: columns).description
      #expect(line.count < max(columns, 1), "\(line)")
    }
  }

  @Test func aNarrowOneHasTheText() {
    #expect(ProgressLine(share: 0.5, Self.text, columns: 40).description == "[###----] \(Self.text)")
    #expect(ProgressLine(share: 0.5, Self.text, columns: 33).description == Self.text)
    #expect(ProgressLine(share: 0.5, Self.text, columns: 11).description == "2/5 web: s")
  }
}
