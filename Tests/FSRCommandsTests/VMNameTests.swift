import FSRCommands
import FSRSystem
import Testing

@Suite struct VMNameTests {
  @Test(arguments: ["a", "0", "web-1", "A.b_c-D", String(repeating: "x", count: 64)])
  func aNameIsKeptAsItIs(text: String) throws {
    #expect(try VMName(parsing: text).description == text)
  }

  @Test(arguments: [
    "", ".", "..", ".hidden", "-a", "_a", "a/b", "../a", "a b", "a\n", "a\u{0}", "é", "a\u{301}",
    String(repeating: "x", count: 65), String(repeating: "x", count: 300),
  ])
  func whatIsNoNameIsRefused(text: String) {
    #expect(throws: ValueError.self) { try VMName(parsing: text) }
  }
}
