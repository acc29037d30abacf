import FSRMemory
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// The ledger's file: crashes, races and damage.
@Suite struct LedgerTests {
  private static func ledger(_ place: borrowing TemporaryDirectory) throws -> Ledger {
    Ledger(in: try place.directory.duplicate())
  }

  private static func fill(_ place: borrowing TemporaryDirectory) throws -> LedgerBook {
    let ledger = try ledger(place)
    try ledger.change { (book: inout LedgerBook) throws(LedgerError) in
      try book.setCapacity(100)
      try book.admit(LedgerBookTests.record("a", 60), memory: 0)
      try book.admit(LedgerBookTests.record("bb", 40, owner: 4), memory: 0)
    }
    return try ledger.read()
  }

  private static func scribble(_ bytes: [UInt8], _ place: borrowing TemporaryDirectory) throws {
    try? place.directory.unlink(Ledger.fileName)
    try place.directory.openFile(Ledger.fileName, .createNew).write(bytes)
  }

  private static func bytes(_ place: borrowing TemporaryDirectory) throws -> [UInt8] {
    try place.directory.openFile(Ledger.fileName, .read).readAll(limit: 1 << 20)
  }

  @Test func noFileIsNothingReservedAndReadingMakesNone() throws {
    let place = try TemporaryDirectory()
    let book = try Self.ledger(place).read()
    #expect(book == LedgerBook())
    #expect(try place.directory.names(limit: 10).isEmpty)
  }

  @Test func aRefusedChangeWritesNothing() throws {
    let place = try TemporaryDirectory()
    let before = try Self.fill(place)
    let bytes = try Self.bytes(place)
    let ledger = try Self.ledger(place)
    #expect(throws: LedgerError.beyondCapacity(wanted: 1, reserved: 100, capacity: 100, node: 0)) {
      try ledger.change { (book: inout LedgerBook) throws(LedgerError) in
        _ = book.remove("a", machine: LedgerBookTests.machine(9))
        try book.admit(LedgerBookTests.record("ccc", 1), memory: 0)
      }
    }
    #expect(try ledger.read() == before)
    #expect(try Self.bytes(place) == bytes)
  }

  @Test(arguments: Ledger.WriteStep.allCases)
  func aDeathAfterAnyStepLeavesTheOldLedgerOrTheNewOne(step: Ledger.WriteStep) throws {
    let place = try TemporaryDirectory()
    let old = try Self.fill(place)
    let dying = Ledger(in: try place.directory.duplicate()) { (reached) throws(LedgerError) in
      if reached == step { throw .busy(path: "death") }
    }
    #expect(throws: LedgerError.busy(path: "death")) {
      try dying.change { $0.remove("a", machine: LedgerBookTests.machine(1)) }
    }
    let ledger = try Self.ledger(place)
    let seen = try ledger.read()
    #expect(seen.records.count == (step == .rename ? 1 : 2))
    if step != .rename { #expect(seen == old) }
    // Whoever comes next is not hindered by what was left.
    try ledger.change { $0.remove("bb", machine: LedgerBookTests.machine(2)) }
    #expect(try ledger.read().record(of: "bb") == nil)
  }

  @Test func aDraftCutAtAnyByteIsNobodysBusiness() throws {
    let place = try TemporaryDirectory()
    let old = try Self.fill(place)
    let draft = LedgerBook(capacity: 5).encoded
    let ledger = try Self.ledger(place)
    for length in draft.indices {
      try? place.directory.unlink(Ledger.draftName)
      try place.directory.openFile(Ledger.draftName, .createNew).write(Array(draft[..<length]))
      #expect(try ledger.read() == old)
    }
    try ledger.change { $0.remove("a", machine: LedgerBookTests.machine(1)) }
    #expect(try ledger.read().records.map(\.vm) == ["bb"])
  }

  @Test func aDamagedFileIsSaidAndChangedByNobody() throws {
    let place = try TemporaryDirectory()
    _ = try Self.fill(place)
    let whole = try Self.bytes(place)
    let ledger = try Self.ledger(place)
    var damages = whole.indices.map { Array(whole[..<$0]) }
    damages += [
      whole + [0], [UInt8](repeating: 0, count: whole.count), [UInt8](repeating: 7, count: 1 << 20),
    ]
    for bytes in damages {
      try Self.scribble(bytes, place)
      do {
        _ = try ledger.read()
        Issue.record("\(bytes.count) bytes were read")
      } catch LedgerError.damaged {} catch { Issue.record("\(error)") }
      do {
        try ledger.change { $0.remove("a", machine: LedgerBookTests.machine(1)) }
        Issue.record("\(bytes.count) bytes were changed")
      } catch LedgerError.damaged(let path, let why) {
        let text = "\(LedgerError.damaged(path: path, why: why))"
        #expect(text.contains("--rebuild") && text.contains(place.path))
      } catch { Issue.record("\(error)") }
      #expect(try Self.bytes(place) == bytes)
    }
  }

  @Test func aRebuildKeepsTheCapacityWhereItCanBeRead() throws {
    let place = try TemporaryDirectory()
    _ = try Self.fill(place)
    let whole = try Self.bytes(place)
    let records = [LedgerBookTests.record("a", 60)]
    let ledger = try Self.ledger(place)
    // It goes on counting its changes, as whoever watches them expects.
    let before = try ledger.read().sequence
    #expect(try ledger.rebuild(records))
    #expect(try before > 0 && ledger.read().sequence == before + 1)
    try Self.scribble(Array(whole.dropLast()), place)
    #expect(try ledger.rebuild(records))
    var book = try ledger.read()
    #expect(book.capacity == 100 && book.records == records)
    try Self.scribble([1, 2, 3], place)
    #expect(try !ledger.rebuild(records))
    book = try ledger.read()
    #expect(book.capacity == nil && book.records == records)
  }

  @Test func manyWhoReserveAtOnceNeverExceedTheCapacity() throws {
    let place = try TemporaryDirectory()
    let path = place.path
    try Self.ledger(place).change { (book: inout LedgerBook) throws(LedgerError) in try book.setCapacity(20) }
    let isOver = OneWayFlag()
    let watch = try OSThread.start(name: "watch") {
      guard let folder = try? Directory.open(path) else {
        Issue.record("nobody watches")
        return
      }
      let ledger = Ledger(in: folder)
      while !isOver.isUp {
        // Without the lock: every look is a whole ledger.
        do { if try ledger.read().reserved() > 20 { Issue.record("more than the capacity") } } catch {
          Issue.record("\(error)")
        }
      }
    }
    let admitted = try race(
      (0..<8).map { thread in
        { @Sendable in
          guard let folder = try? Directory.open(path) else { return 0 }
          let ledger = Ledger(in: folder)
          return (0..<10).count { index in
            (try? ledger.change { (book: inout LedgerBook) throws(LedgerError) in
              try book.admit(LedgerBookTests.record("vm-\(thread)-\(index)", 1), memory: 0)
            }) != nil
          }
        }
      })
    isOver.raise()
    watch.join()
    #expect(admitted.reduce(0, +) == 20)
    #expect(try Self.ledger(place).read().reserved() == 20)
  }
}
