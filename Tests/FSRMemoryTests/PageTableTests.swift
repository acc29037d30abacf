import FSRMemory
import FSRSystem
import FSRTestSupport
import Testing

/// Places of a store with so many slots and a ring of so many bytes.
struct BoundedPlaces: PagePlaces {
  var slots: UInt32 = 1 << 20
  var ring: UInt64 = 1 << 30

  func holds(slot: UInt32) -> Bool { slot < slots }
  func holds(position: UInt64, of page: UInt64) -> Bool { position < ring }
}

@Suite struct PageTableTests {
  private static let gigabyte: UInt64 = 1 << 30

  private static func twin(_ table: PageTable) throws -> PageTable {
    try PageTable(adopting: try table.descriptor.duplicate(), range: table.range)
  }

  @Test func aTerabyteThatNobodyTouchedTakesNoMemory() throws {
    let table = try PageTable(range: 0..<(1024 * Self.gigabyte))
    var before = try table.descriptor.allocatedBytes()
    #expect(before <= 4096)
    table.set(200_000_000, .resident)
    #expect(table.nextResident(from: 0) == 200_000_000)
    #expect(table.nextResident(from: 200_000_001) == nil)
    before = try table.descriptor.allocatedBytes()
    #expect(before <= 12 * 4096)
  }

  @Test func countsFollowEveryChange() throws {
    let table = try PageTable(range: 4096..<(4096 + 8 * 4096 * 512))
    var random = SeededGenerator(seed: 1)
    var model = [PageState](repeating: .absent, count: Int(table.pageCount))
    for _ in 0..<20_000 {
      let page = UInt64.random(in: 0..<table.pageCount, using: &random)
      let states: [PageState] = [
        .absent, .resident, .compressed(.random(in: 0..<PageState.positionLimit, using: &random)),
        .swapped(.random(in: .min ... .max, using: &random)),
      ]
      let state = states.randomElement(using: &random) ?? .absent
      table.set(page, state)
      model[Int(page)] = state
    }
    for (page, state) in model.enumerated() { #expect(table.state(of: UInt64(page)) == state) }
    #expect(table.counts.resident == UInt64(model.count { $0 == .resident }))
    var found: [UInt64] = []
    var next = table.nextResident(from: 0)
    while let page = next {
      found.append(page)
      next = table.nextResident(from: page + 1)
    }
    #expect(found == model.indices.filter { model[$0] == .resident }.map(UInt64.init))
  }

  @Test func aSurveySeesWhatChangedAndNothingElse() throws {
    let table = try PageTable(range: 0..<(64 * Self.gigabyte))
    for directory in stride(from: UInt64(0), to: 32_000, by: 100) {
      table.set(directory * 512 + 7, .swapped(3))
    }
    let twin = try Self.twin(table)
    var survey = try PageTableSurvey(of: twin)
    let first = try survey.look(at: BoundedPlaces())
    #expect(first.seen == 320 && first.left == 0)
    table.set(5, .resident)
    table.set(31_000 * 512, .compressed(64))
    table.set(31_000 * 512, .absent)
    let second = try survey.look(at: BoundedPlaces())
    #expect(second.seen == 2)
    let third = try survey.look(at: BoundedPlaces())
    #expect(third.seen == 0)
    try survey.agree()
    let counts = survey.counts
    #expect(counts.resident == 1 && counts.swapped == 320 && counts.compressed == 0)
    try survey.checkAll(at: BoundedPlaces())
  }

  @Test func aSurveyThatIsEndedGoesOnLater() throws {
    let table = try PageTable(range: 0..<Self.gigabyte)
    for directory in 0..<UInt64(100) { table.set(directory * 512, .resident) }
    var survey = try PageTableSurvey(of: table)
    var asked = 0
    let first = try survey.look(at: nil as BoundedPlaces?) {
      asked += 1
      return asked > 30
    }
    #expect(first.seen == 30 && first.left == 70)
    let second = try survey.look(at: nil as BoundedPlaces?)
    #expect(second.seen == 70)
    try survey.agree()
  }

  @Test func noChangeIsMissedWhileAnotherThreadWrites() async throws {
    let table = try PageTable(range: 0..<(4 * Self.gigabyte))
    let twin = try Self.twin(table)
    let done = OneWayFlag()
    let writer = try OSThread.start(name: "writer") {
      var random = SeededGenerator(seed: 3)
      for step in 0..<UInt32(200_000) {
        let page = UInt64.random(in: 0..<table.pageCount, using: &random)
        table.set(page, step % 3 == 0 ? .resident : step % 3 == 1 ? .swapped(step) : .absent)
      }
      done.raise()
    }
    let twinCounts = await Blocking.run { () -> Result<Bool, PagingError> in
      do throws(PagingError) {
        guard var survey = try? PageTableSurvey(of: twin) else { return .success(false) }
        while !done.isUp { try survey.look(at: nil as BoundedPlaces?) }
        try survey.look(at: BoundedPlaces(slots: .max))
        try survey.agree()
        return .success(true)
      } catch { return .failure(error) }
    }
    writer.join()
    #expect(twinCounts == .success(true))
  }

  @Test func brokenTablesAreRefused() throws {
    let range: Range<UInt64> = 0..<Self.gigabyte
    let table = try PageTable(range: range)
    #expect(throws: PagingError.badRange) { try PageTable(range: 1..<4097) }
    #expect(throws: PagingError.badRange) { try PageTable(range: 0..<0) }
    #expect(throws: PagingError.wrongSize) {
      try PageTable(adopting: try table.descriptor.duplicate(), range: 0..<(2 * Self.gigabyte))
    }
    #expect(throws: PagingError.badRange) {
      try PageTable(adopting: try table.descriptor.duplicate(), range: 4096..<(Self.gigabyte + 4096))
    }
    try table.descriptor.write([0], at: 0)
    #expect(throws: PagingError.notPageTable) { try Self.twin(table) }
  }

  @Test func aLookAsksForEveryPlaceThatAChangedDirectoryNames() throws {
    let table = try PageTable(range: 0..<Self.gigabyte)
    table.set(3, .resident)
    table.set(700, .compressed(100))
    table.set(1500, .swapped(9))
    for (places, broken) in [(BoundedPlaces(slots: 9), UInt64(2)), (BoundedPlaces(ring: 100), 1)] {
      var survey = try PageTableSurvey(of: table)
      #expect(throws: PagingError.badDirectory(broken)) { try survey.look(at: places) }
    }
    var survey = try PageTableSurvey(of: table)
    let (seen, left) = try survey.look(at: BoundedPlaces(slots: 10, ring: 101))
    #expect(seen == 3 && left == 0)
    try survey.agree()
    // Before it is at rest nothing is asked.
    table.set(1501, .swapped(10))
    try survey.look(at: BoundedPlaces?.none)
    try survey.agree()
  }

  @Test func brokenDirectoriesAreFound() throws {
    let table = try PageTable(range: 0..<Self.gigabyte)
    table.set(3, .swapped(9))
    table.set(700, .compressed(100))
    var survey = try PageTableSurvey(of: table)
    #expect(throws: PagingError.badDirectory(0)) { try survey.checkAll(at: BoundedPlaces(slots: 9)) }
    #expect(throws: PagingError.badDirectory(1)) { try survey.checkAll(at: BoundedPlaces(ring: 100)) }
    try survey.look(at: BoundedPlaces())
    // The file's end holds the entries: 8 bytes a page, 512 of them for each directory.
    let size = try table.descriptor.size()
    let entries = size - table.directoryCount * 4096
    for word: [UInt8] in [
      [4, 0, 0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0],
    ] {
      try table.descriptor.write(word, at: entries + 8 * 10)
      #expect(throws: PagingError.badDirectory(0)) { _ = try table.directory(0) }
    }
    try table.descriptor.write([0], at: entries + 8 * 10)
    _ = try table.directory(0)
    try table.descriptor.write([1], at: 32)
    #expect(throws: PagingError.badCounts) { try survey.agree() }
  }
}
