import FSRSystem
import FSRTestSupport
import Testing

@Suite struct JournalSocketTests {
  @Test func anEntryIsALineForEachField() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let journal = try DatagramListener(path: place.path + "/journal")
    JournalSocket(path: place.path + "/journal").tell([
      ("MESSAGE", "web: two\nlines\r\nhere"), ("PRIORITY", "5"),
    ])
    let entry = try journal.next(timeout: 60_000_000_000)
    #expect(entry == "MESSAGE=web: two lines here\nPRIORITY=5\n")
  }

  @Test func aJournalThatIsNotThereIsNoTrouble() {
    JournalSocket(path: "/nonexistent/journal").tell([("MESSAGE", "nobody hears it")])
  }
}
