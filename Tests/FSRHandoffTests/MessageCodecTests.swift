import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

@Suite struct MessageCodecTests {
  static let messages: [Message] = {
    var request = HandoffRequest(
      executable: "/opt/neu/fsr", fault: "source:stun:kill,destination:verify:stop")
    request.versions = 1...3
    var hello = Hello(
      isSuccessor: true,
      sections: [
        SectionVersion(name: "hart.0", version: 1),
        SectionVersion(name: "uart", version: .max, isNeeded: false),
      ], build: "6c62272e",
      fault: "destination:prepare:kill")
    hello.versions = 0...(.max)
    return [
      .request(HandoffRequest()), .request(request),
      .request(HandoffRequest(executable: "/x", plan: HandoffPlan(depth: .trial))), .accepted,
      .request(
        HandoffRequest(
          executable: "/x", plan: HandoffPlan(swap: .mirrored(path: "/größer", bytesPerSecond: 65_536)))),
      .request(
        HandoffRequest(plan: HandoffPlan(depth: .trial, swap: .mirrored(path: "/neu", bytesPerSecond: nil)))),
      .refused(Reason("weil nicht: größer")),
      .hello(Hello(isSuccessor: false, sections: [], build: "")), .hello(hello),
      .agreed(Agreement(version: 1, build: "6c62272e07bb0142")), .manifest, .prepared, .holding,
      .refused(Reason("")), .refused(Reason("zu wenig", code: .limits)),
      .refused(Reason("es ist so; ja", remedy: "nichts; größer", code: .stopping)),
    ]
  }()

  @Test(arguments: messages) func aMessageIsReadBack(_ message: Message) throws {
    #expect(try Message(decoding: message.encoded) == message)
  }

  @Test(arguments: messages) func everyTruncationIsReadOrRefused(_ message: Message) {
    let bytes = message.encoded
    for count in bytes.indices {
      // A cut between two fields may leave a message of its kind: never another kind, and never a trap.
      guard let read = try? Message(decoding: Array(bytes[..<count])) else { continue }
      #expect(count >= 2 && read.encoded.prefix(2) == bytes.prefix(2))
    }
    #expect(throws: HandoffError.self) { try Message(decoding: Array(bytes.prefix(1))) }
  }

  @Test func mutationsAreReadOrRefused() {
    var chance = SeededGenerator(seed: 6)
    for round in 0..<11_000 {
      let message = Self.messages[round % Self.messages.count]
      guard let read = try? Message(decoding: chance.mutate(message.encoded)) else { continue }
      // What was read can be sent on: it is a message like any other.
      #expect((try? Message(decoding: read.encoded)) == read)
    }
  }

  @Test func noiseIsReadOrRefused() {
    var chance = SeededGenerator(seed: 7)
    for count in 0..<10_000 {
      var noise = (0..<count % 200).map { _ in UInt8.random(in: .min ... .max, using: &chance) }
      if noise.count > 1, count % 2 == 0 {
        noise[0] = UInt8(count / 2 % 12)
        noise[1] = 0
      }
      _ = try? Message(decoding: noise)
    }
  }

  @Test func anUnknownKindEndsTheHandoff() {
    for kind in [0, 9, 10, 0xffff] as [UInt16] {
      #expect(throws: HandoffError.self) {
        try Message(decoding: [UInt8(kind & 0xff), UInt8(kind >> 8)])
      }
    }
  }

  @Test func aFieldThatIsNotKnownIsSkipped() throws {
    var later = FieldWriter()
    later.put(4000, "new")
    for message in Self.messages {
      #expect(try Message(decoding: message.encoded + later.bytes) == message)
    }
  }

  @Test func versionsThatAreNoRangeAreRefused() {
    var fields = FieldWriter()
    fields.put(1, UInt16(2))
    fields.put(2, UInt16(1))
    fields.put(3, "")
    fields.put(4, "")
    #expect(throws: HandoffError.self) { try Message(decoding: [1, 0] + fields.bytes) }
  }

  @Test func aReasonIsCutToWhatTheReaderTakes() throws {
    for unit in ["x", "ü", "👩‍👩‍👧"] {
      for count in [500, 1024, 1025, 5000] {
        let long = String(repeating: unit, count: count)
        guard case .refused(let read) = try Message(decoding: Message.refused(Reason(long)).encoded) else {
          Issue.record("another message came back")
          return
        }
        #expect(long.utf8.starts(with: read.what.utf8) && read.what.utf8.count <= 1024 && read.remedy == nil)
        if long.utf8.count <= 1024 { #expect(read.what == long) }
      }
    }
  }

  /// Of a reason that is too long the remedy goes first, and a sentence that fills all of the room stands alone.
  @Test(arguments: [1000, 1020, 1021, 1022, 1023, 1024, 1030]) func aRemedyIsCutBeforeItsSentence(count: Int)
    throws
  {
    let sentence = String(repeating: "s", count: count)
    let told = Message.refused(Reason(sentence, remedy: "do this", code: .limits))
    guard case .refused(let read) = try Message(decoding: told.encoded) else {
      Issue.record("another message came back")
      return
    }
    #expect(read.code == .limits)
    #expect(read.what.hasPrefix(sentence.prefix(1024)))
    #expect(read.remedy.map { "do this".hasPrefix($0) && !$0.isEmpty } ?? (count > 1021))
  }

  /// A place of the remedy that lies outside the words, or within a character, is no reason to trap.
  @Test(arguments: [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, UInt32.max]) func aPlaceOfARemedyIsNotTrusted(
    place: UInt32
  )
    throws
  {
    var fields = FieldWriter()
    fields.put(5, "üü; ja")
    fields.put(12, place)
    guard case .refused(let read) = try Message(decoding: [3, 0] + fields.bytes) else {
      Issue.record("another message came back")
      return
    }
    #expect(read.description == (read.remedy == nil ? "üü; ja" : "\(read.what); \(read.remedy ?? "")"))
    #expect(place != 4 || read == Reason("üü", remedy: "ja"))
  }

  @Test func listsAndTextsAreBounded() {
    func asking(_ axes: [PlanAxis]) -> Message {
      var request = HandoffRequest()
      request.axes = axes
      return .request(request)
    }
    let sections = (0...256).map { SectionVersion(name: "s\($0)", version: 1) }
    let tooMuch: [Message] = [
      .hello(Hello(isSuccessor: false, sections: sections, build: "")),
      .hello(
        Hello(
          isSuccessor: false, sections: [SectionVersion(name: String(repeating: "s", count: 33), version: 1)],
          build: "")
      ),
      .request(HandoffRequest(executable: String(repeating: "x", count: 4097))),
      .request(HandoffRequest(fault: String(repeating: "x", count: 513))),
      .agreed(Agreement(version: 1, build: String(repeating: "b", count: 129))),
      asking(Array(repeating: PlanAxis("a", "b"), count: 17)),
      asking([PlanAxis(String(repeating: "n", count: 65), "b")]),
      asking([PlanAxis("a", String(repeating: "v", count: 4097))]),
      asking([PlanAxis("a", "b", Array(repeating: PlanAxis.Detail("c", "d"), count: 17))]),
      asking([PlanAxis("a", "b", [PlanAxis.Detail(String(repeating: "n", count: 65), "d")])]),
      asking([PlanAxis("a", "b", [PlanAxis.Detail("c", String(repeating: "v", count: 4097))])]),
    ]
    for message in tooMuch {
      #expect(throws: HandoffError.self) { try Message(decoding: message.encoded) }
    }
  }

  @Test func kindsAndTagsKeepTheirNumbers() {
    let firsts = Self.messages.map { $0.encoded[0] }
    #expect(firsts == [12, 12, 12, 2, 12, 12, 3, 4, 4, 5, 6, 7, 8, 3, 3, 3])
    let agreed = Message.agreed(Agreement(version: 0x0102, build: "b")).encoded
    #expect(agreed == [5, 0, 8, 0, 2, 0, 0, 0, 2, 1, 9, 0, 1, 0, 0, 0, 0x62])
  }
}
