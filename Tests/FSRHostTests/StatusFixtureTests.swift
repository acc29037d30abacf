import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What a VMM answers of its VM, as it was sent once, and what it is asked.
@Suite struct StatusFixtureTests {
  /// The fields that every answer has, in their order.
  private static func begin(_ state: String, later: String? = nil) -> FieldWriter {
    var fields = FieldWriter()
    fields.put(1, "größer")
    fields.put(2, state)
    if let later { fields.put(70, later) }
    fields.put(3, UInt64(5))
    fields.put(4, Int32(4321))
    fields.put(5, "/opt/neu/fsr")
    fields.put(6, "6c62272e07bb0142")
    fields.put(7, UInt64(64 << 20))
    fields.put(8, UInt64(700))
    return fields
  }

  private static func words(_ fields: inout FieldWriter, _ tag: UInt16, _ words: [[UInt64]]) {
    fields.put(tag, list: words) { row, writer in for word in row { writer.write(word) } }
  }

  private static func paging() -> [UInt8] {
    var fields = FieldWriter()
    fields.put(1, list: (1...14).map { UInt64($0) * 0x1111 }) { $1.write($0) }
    fields.put(2, list: [1500, 2500, 9000, 1 << 40] as [UInt64]) { $1.write($0) }
    fields.put(3, "/var/tmp/größer.swap")
    fields.put(4, "disk full")
    return fields.bytes
  }

  private static func ports(_ fields: inout FieldWriter, hasTroubles: Bool) {
    fields.put(42, list: ["tap0", "tap1"]) { tap, writer in
      writer.write(tap)
      writer.write("02:00:00:00:00:01")
      writer.write(UInt32(1500))
      writer.write(UInt32(2))
      for count in UInt64(1)...5 { writer.write(count << 33) }
    }
    if hasTroubles { fields.put(43, list: ["", "the tap is gone"]) { $1.write($0) } }
  }

  /// All that a VMM can say.
  private static func full(_ state: String, later: String? = nil, hasTroubles: Bool = true) -> [UInt8] {
    var fields = begin(state, later: later)
    fields.put(9, "/var/log/größer")
    fields.put(10, UInt64(12))
    fields.put(11, list: [UInt32(0), 1]) { id, writer in
      writer.write(id)
      writer.write(UInt64(1) << 40 | UInt64(id))
    }
    words(&fields, 12, [[100, 200, 3, 310]])
    fields.put(13, "/run/fsr/größer/log")
    fields.put(30, UInt64(8 << 20))
    fields.put(60, paging())
    fields.put(20, UInt64(77_000_000_000))
    words(&fields, 21, [[1_000_000, 50], [10_000_000, 700]])
    words(&fields, 40, [[5_000_000_000, 70], [6_000_000_000, 80]])
    words(&fields, 41, [[Double(0.5).bitPattern], [Double(1.25).bitPattern], [Double(2).bitPattern]])
    ports(&fields, hasTroubles: hasTroubles)
    fields.put(50, "0-1,3")
    fields.put(51, "interleave")
    return fields.bytes
  }

  /// The least that a VMM of this build says.
  ///
  /// - Parameter kind: of its VMM, which then has neither a console nor files; none of a build that knows one kind.
  private static func bare(hasTroubles: Bool = true, kind: String? = nil) -> [UInt8] {
    var fields = begin("paused")
    fields.put(9, "")
    fields.put(10, UInt64(0))
    for tag: UInt16 in [11, 12] { words(&fields, tag, []) }
    fields.put(13, "")
    fields.put(30, UInt64(0))
    fields.put(20, UInt64(0))
    for tag: UInt16 in [21, 40, 41, 42] { words(&fields, tag, []) }
    if hasTroubles { words(&fields, 43, []) }
    if let kind {
      fields.put(71, kind)
      fields.put(72, list: [256, 257, 259, 260] as [UInt16]) { $1.write($0) }
    }
    return fields.bytes
  }

  static let answers = [
    Sample("status-full.hex", full("running")), Sample("status-bare.hex", bare()),
    Sample("status-reset.hex", full("running", later: "reset")),
    Sample("status-ending.hex", full("running", later: "ending")),
    Sample("status-kind.hex", bare(kind: "counting")),
  ]

  @Test(arguments: answers) func anAnswerIsWrittenAsEver(_ answer: Sample<[UInt8]>) throws {
    let status = try VMReport(decoding: answer.value)
    #expect(try Fixture(answer.name).difference(from: status.encoded) == nil)
    #expect(try Fixture(answer.name).bytes() == answer.value)
  }

  @Test func aFullAnswerIsReadForGood() throws {
    let status = try VMReport(decoding: Fixture("status-full.hex").bytes())
    Self.expectFull(status)
    #expect(status.facets.nics.map(\.trouble) == ["", "the tap is gone"] && status.state == .running)
  }

  private static func expectFull(_ status: VMReport) {
    #expect(status.facts.name == "größer" && status.runner.generation == 5 && status.runner.pid == 4321)
    #expect(status.runner.binary == "/opt/neu/fsr" && status.runner.build == "6c62272e07bb0142")
    #expect(
      status.facts.memoryBytes == 64 << 20 && status.residentPages == 700
        && status.facts.reservedBytes == 8 << 20)
    #expect(status.facets.console.path == "/var/log/größer" && status.facets.console.droppedBytes == 12)
    #expect(status.facts.log == "/run/fsr/größer/log" && status.facets.vcpus.countedAt == 77_000_000_000)
    #expect(
      status.facets.vcpus.counts.map(\.id) == [0, 1]
        && status.facets.vcpus.counts.map(\.instructions) == [1 << 40, 1 << 40 | 1])
    #expect(status.facets.vcpus.times.map(\.nanoseconds) == [5_000_000_000, 6_000_000_000])
    #expect(status.facets.vcpus.times.map(\.exits) == [70, 80] && status.facets.load == [0.5, 1.25, 2])
    #expect(
      status.facets.guest?.ticks == 100 && status.facets.guest?.passes == 200
        && status.facets.guest?.errors == 3)
    #expect(status.facets.guest?.maxGapMicroseconds == 310)
    #expect(status.facets.arrival.map(\.nanoseconds) == [1_000_000, 10_000_000])
    #expect(status.facets.arrival.map(\.instructions) == [50, 700])
    #expect(
      status.facets.placement?.nodes.nodes == [0, 1, 3] && status.facets.placement?.policy == "interleave")
    #expect(
      status.facets.nics.map(\.tap) == ["tap0", "tap1"] && status.facets.nics[1].mac == "02:00:00:00:00:01")
    let port = status.facets.nics.first
    #expect(port?.mtu == 1500 && port?.queues == 2 && port?.receivedFrames == 1 << 33)
    #expect(port?.receivedBytes == 2 << 33 && port?.sentFrames == 3 << 33)
    #expect(port?.sentBytes == 4 << 33 && port?.dropped == 5 << 33)
    guard let paging = status.facets.paging else {
      Issue.record("it says nothing of paging")
      return
    }
    #expect(
      [
        paging.residentLimit, paging.compression, paging.pages.resident, paging.pages.compressed,
        paging.pages.swapped, paging.swap.slots, paging.swap.used, paging.faults.minor, paging.faults.missing,
        paging.faults.evictions, paging.faults.readAhead, paging.rates.evictions, paging.rates.faults,
        paging.faults.failures,
      ] == (1...14).map { $0 * 0x1111 })
    #expect(paging.waits == [1500, 2500, 9000, 1 << 40] && paging.trouble == "disk full")
    #expect(paging.swap.path == "/var/tmp/größer.swap")
  }

  @Test func otherAnswersAreReadForGood() throws {
    let bare = try VMReport(decoding: Fixture("status-bare.hex").bytes())
    #expect(
      bare.state == .paused && bare.facets.paging == nil && bare.facets.placement == nil
        && bare.facets.guest == nil)
    #expect(
      bare.facets.vcpus.counts.isEmpty && bare.facets.nics.isEmpty && bare.facets.arrival.isEmpty
        && bare.facets.load.isEmpty)
    #expect(try VMReport(decoding: Fixture("status-reset.hex").bytes()).state == .reset)
    #expect(try VMReport(decoding: Fixture("status-ending.hex").bytes()).state == .ending)
  }

  /// Of a build whose ports had no troubles to tell.
  @Test func anOlderAnswerIsRead() throws {
    let full = try Fixture("old/status-full.hex").bytes()
    #expect(full == Self.full("running", hasTroubles: false))
    let status = try VMReport(decoding: full)
    Self.expectFull(status)
    #expect(status.facets.nics.allSatisfy { $0.trouble.isEmpty })
    let bare = try Fixture("old/status-bare.hex").bytes()
    #expect(bare == Self.bare(hasTroubles: false))
    #expect(try VMReport(decoding: bare).state == .paused)
  }

  /// One that says what it has is asked for nothing else; one that says nothing of it has all.
  @Test func whatAVMMHasIsReadForGood() throws {
    let told = try VMReport(decoding: Fixture("status-kind.hex").bytes())
    #expect(told.facts.kind == "counting" && told.facts.verbs == [.status, .stop, .pause, .resume])
    let untold = try VMReport(decoding: Fixture("status-bare.hex").bytes())
    #expect(untold.facts.kind.isEmpty && untold.facts.verbs == Set(ControlVerb.allCases))
  }

  /// A verb of a later build is nothing that this one asks for, and a VMM without a console says nothing of it.
  @Test func whatIsNotKnownOrNotThereIsPassedOver() throws {
    var fields = Self.begin("running")
    fields.put(13, "")
    fields.put(71, "other")
    fields.put(72, list: [256, 999] as [UInt16]) { $1.write($0) }
    let status = try VMReport(decoding: fields.bytes)
    #expect(
      status.facts.verbs == [.status] && status.facets.console.path.isEmpty
        && status.facets.vcpus.counts.isEmpty)
  }

  // MARK: requests

  @Test(arguments: ControlVerb.allCases) func aRequestIsSentAsEverAndReadForGood(
    _ request: ControlVerb
  ) throws {
    let fixture = Fixture("request-\(request.rawValue)-\(request).hex")
    #expect(try fixture.difference(from: request.encoded) == nil)
    #expect(ControlVerb(try fixture.bytes()) == request)
  }

  @Test(arguments: PauseAnswer.allCases) func anAnswerToAPauseIsSentAsEverAndReadForGood(
    _ answer: PauseAnswer
  ) throws {
    let fixture = Fixture("pause-answer-\(answer.rawValue)-\(answer).hex")
    #expect(try fixture.difference(from: answer.encoded) == nil)
    #expect(PauseAnswer(try fixture.bytes()) == answer)
  }
}
