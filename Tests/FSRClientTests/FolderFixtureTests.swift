import FSRClient
import FSRHandoff
import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// The files of a VM's folder as they were written once.
@Suite struct FolderFixtureTests {
  private static let machine = MachineIdentity(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)

  /// A folder `vm` with `files`, as it stands in a runtime folder; gone when the test ends.
  private static func with(
    _ files: [(name: String, bytes: [UInt8])], _ body: (borrowing VMFolder) throws -> Void
  ) throws {
    let place = try TemporaryDirectory()
    try place.directory.make("vm")
    let directory = try Directory.open("vm", in: place.directory)
    for file in files { try directory.openFile(file.name, .createNew).write(file.bytes) }
    try body(try RuntimeDirectory.open(place.path, creating: false).vm("vm"))
    for name in try directory.names(limit: 100) { try directory.unlink(name) }
    try place.directory.removeDirectory("vm")
  }

  private static func read(_ name: String, in folder: borrowing VMFolder) throws -> [UInt8] {
    try folder.directory.openFile(name, .read).readAll(limit: 4096)
  }

  @Test func aMarkIsWrittenAsEverAndReadForGood() throws {
    try Self.with([]) { folder in
      try folder.writeMark()
      #expect(try Fixture("mark-new.txt").difference(from: Self.read("vm", in: folder)) == nil)
      try folder.writeMark(of: Self.machine)
      #expect(try Fixture("mark.txt").difference(from: Self.read("vm", in: folder)) == nil)
    }
    let foreign = (name: "not-fsrs", bytes: [UInt8(1)])
    try Self.with([("vm", try Fixture("mark.txt").bytes()), foreign]) { folder in
      #expect(folder.machine == Self.machine)
    }
    try Self.with([("vm", try Fixture("mark-new.txt").bytes()), foreign]) { folder in
      #expect(folder.machine == nil)
    }
  }

  static let ends: [Sample<GuestEnd>] = [
    Sample("ended-passed.txt", .passed), Sample("ended-failed.txt", .failed(code: 42)),
    Sample("ended-reset.txt", .reset),
    Sample("ended-crashed.txt", .crashed(cause: 1 << 63 | 5, address: 0x8000_1234)),
    Sample("ended-request.txt", .hostRequest(6)),
  ]

  @Test(arguments: ends) func anEndIsWrittenAsEverAndReadForGood(_ end: Sample<GuestEnd>) throws {
    let mark = (name: "vm", bytes: try Fixture("mark.txt").bytes())
    try Self.with([mark]) { folder in
      try folder.writeEnded(end.value)
      #expect(try Fixture(end.name).difference(from: Self.read("ended", in: folder)) == nil)
    }
    try Self.with([mark, ("ended", try Fixture(end.name).bytes())]) { folder in
      #expect(folder.ended == end.value)
    }
  }

  @Test func aNoteOfTapsIsWrittenAsEverAndReadForGood() throws {
    let note = TapNote([
      TapNote.Entry(tap: "tap0", settings: TapSettings(headerSize: 10, offloads: 0x6f), mtu: 9000),
      TapNote.Entry(tap: "a.b", settings: TapSettings(headerSize: 12, offloads: 0)),
    ])
    #expect(try Fixture("taps.txt").difference(from: Array(note.text.utf8)) == nil)
    #expect(TapNote(String(decoding: try Fixture("taps.txt").bytes(), as: UTF8.self)) == note)
  }

  // MARK: history

  /// A block whose handoff went as told.
  private static func block() throws -> ControlBlock {
    let place = try TemporaryDirectory()
    let block = try ControlBlock(
      filling: place.directory.openFile("block", .createNew), attempt: 7, generation: 5, machine: machine,
      state: .destVerify)
    for mark in TimelineMark.allCases { block.pass(mark, at: 10_000_000 + UInt64(mark.rawValue) * 123_456) }
    // What is copied stands before the guest is quiesced.
    block.pass(.copied, at: 10_400_000)
    block.enroll(
      .source, as: ProcessIdentity(pid: 1, startTime: 2, bootID: BootID(high: 3, low: 4)), in: .unknown)
    _ = block.claim(.destination, by: .destination)
    return block
  }

  private static func handoff() throws -> HistoryRecord {
    let report = HandoffReport(of: try block(), vm: "größer")
    var record = HistoryRecord(id: report.handoffID, event: "handoff")
    record.time = "2026-01-02T03:04:05Z"
    (record.fromBuild, record.toBuild) = ("6c62272e07bb0142", "af63bd4c8601b7df")
    (record.fromExecutable, record.toExecutable) = ("/opt/alt/fsr", "/opt/größer/fsr")
    record.phases = report.phases
    (record.victor, record.reason) = (report.victor, report.why)
    (record.askedByPID, record.askedByUser) = (4321, 1000)
    record.downtimeMicroseconds = report.downtimeMicroseconds
    (record.generation, record.attempt) = (report.generation, 7)
    return record
  }

  private static func ended() -> HistoryRecord {
    var record = HistoryRecord(id: "a", event: "ended")
    record.time = "2026-01-02T03:04:05Z"
    record.reason = "the guest said \"größer\"\n"
    return record
  }

  private static func lost() -> HistoryRecord {
    var record = HistoryRecord(id: "b", event: "handoff")
    record.time = "2026-01-02T03:04:05Z"
    (record.victor, record.reason, record.reasonCode) = ("none", "the VM is lost: größer", "lost")
    return record
  }

  /// Of a build whose reasons had no codes.
  @Test func aHistoryWithoutCodesIsRead() throws {
    let history = HistoryFile(try Fixture("old/history.txt").bytes())
    #expect(history.records == [try Self.handoff(), Self.ended()] && history.skipped == 0)
  }

  @Test func aHistoryIsWrittenAsEverAndReadForGood() throws {
    let records = [try Self.handoff(), Self.ended(), Self.lost()]
    let fixture = Fixture("history.txt")
    #expect(try fixture.difference(from: records.flatMap(\.line)) == nil)
    let history = HistoryFile(try fixture.bytes())
    #expect(history.records == records && history.skipped == 0)
    // Said once more: a report may change together with what is written of it.
    let read = try #require(history.records.first)
    #expect(read.victor == "destination" && read.generation == 6 && read.downtimeMicroseconds == 741)
    #expect(read.phases.count == 12 && read.phases.first?.name == "start")
    #expect(read.id == "0123456789abcdeffedcba9876543210-7")
  }
}
