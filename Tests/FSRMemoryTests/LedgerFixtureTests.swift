import FSRMemory
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// A ledger's file as it was written once.
@Suite struct LedgerFixtureTests {
  private static func process(_ pid: Int32) -> ProcessIdentity {
    ProcessIdentity(pid: pid, startTime: UInt64(pid) * 10, bootID: BootID(high: 0xb007, low: 0x1d))
  }

  private static func machine(_ number: UInt64) -> MachineIdentity {
    MachineIdentity(high: 0x0123_4567_89ab_cdef, low: number)
  }

  static let books = [
    Sample("ledger-empty.hex", LedgerBook()),
    Sample("ledger-capacity.hex", LedgerBook(capacity: 1 << 36)),
    Sample(
      "ledger-full.hex",
      LedgerBook(
        capacity: 1 << 36,
        records: [
          LedgerRecord(vm: "a", machine: machine(1), bytes: 4096, owner: process(100)),
          LedgerRecord(
            vm: "größer", machine: machine(2), bytes: 1 << 30, node: 3, owner: process(200),
            heir: process(300)
          ),
          LedgerRecord(
            vm: String(repeating: "x", count: LedgerRecord.nameLimit), machine: machine(3), bytes: 3 << 20,
            nodes: NodeSet([2, 3, 65]) ?? NodeSet(0), owner: process(400)),
        ])),
  ]

  @Test(arguments: books) func aLedgerIsWrittenAsEver(_ book: Sample<LedgerBook>) throws {
    #expect(try Fixture(book.name).difference(from: book.value.encoded) == nil)
  }

  @Test(arguments: books) func aLedgerIsReadForGood(_ book: Sample<LedgerBook>) throws {
    #expect(try LedgerBook(decoding: Fixture(book.name).bytes()) == book.value)
  }

  /// The number of changes is counted by the file's writer alone.
  @Test func aLedgersFileIsWrittenAsEver() throws {
    let place = try TemporaryDirectory()
    let ledger = Ledger(in: try place.directory.duplicate())
    for bytes in [UInt64(1 << 35), 1 << 36] {
      try ledger.change { (book: inout LedgerBook) throws(LedgerError) in try book.setCapacity(bytes) }
    }
    let written = try place.directory.openFile(Ledger.fileName, .read).readAll(limit: LedgerBook.sizeLimit)
    #expect(try Fixture("ledger-changed-twice.hex").difference(from: written) == nil)
    let read = try LedgerBook(decoding: Fixture("ledger-changed-twice.hex").bytes())
    #expect(read.sequence == 2 && read.capacity == 1 << 36 && read.records.isEmpty)
  }
}
