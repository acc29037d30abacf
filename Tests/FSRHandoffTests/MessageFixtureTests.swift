import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// Every message that the parties have for each other, as it was sent once.
@Suite struct MessageFixtureTests {
  static let messages: [Sample<Message>] = {
    var request = HandoffRequest(executable: "/opt/neu/fsr", fault: "source:stun:kill")
    request.versions = 1...3
    request.axes = [
      PlanAxis("depth", "trial"), PlanAxis("swap", "mirrored", [PlanAxis.Detail("path", "/größer")]),
      PlanAxis("later", "perhaps", isNeeded: false),
    ]
    var hello = Hello(
      isSuccessor: false,
      sections: [
        SectionVersion(name: "hart.0", version: 1),
        SectionVersion(name: "load", version: 0x0102, isNeeded: false),
      ], build: "6c62272e07bb0142", fault: "destination:prepare:kill")
    hello.versions = 1...2
    var successor = Hello(isSuccessor: true, sections: [], build: "")
    successor.versions = 1...1
    return [
      Sample("message-2-accepted.hex", .accepted),
      Sample("message-3-refused.hex", .refused(Reason("weil nicht: größer"))),
      Sample(
        "message-3-refused-remedy.hex", .refused(Reason("zu wenig", remedy: "mehr; größer", code: .limits))),
      Sample("message-3-refused-code.hex", .refused(Reason("zu wenig", code: .headroom))),
      Sample("message-4-hello.hex", .hello(hello)),
      Sample(
        "message-4-hello-successor.hex", .hello(successor)),
      Sample("message-5-agreed.hex", .agreed(Agreement(version: 1, build: "6c62272e07bb0142"))),
      Sample("message-6-manifest.hex", .manifest),
      Sample("message-7-prepared.hex", .prepared),
      Sample("message-8-holding.hex", .holding),
      Sample("message-12-plan.hex", .request(asked())),
      Sample("message-12-plan-full.hex", .request(request)),
    ]
  }()

  /// Requests in the words of protocol version 1.
  static let formerRequests: [Sample<Message>] = {
    var request = HandoffRequest(executable: "/opt/neu/fsr", fault: "source:stun:kill")
    request.versions = 1...3
    return [
      Sample("message-1-request.hex", .request(asked())),
      Sample("message-1-request-full.hex", .request(request)),
      Sample("message-9-trial.hex", .request(asked(HandoffPlan(depth: .trial)))),
      Sample(
        "message-10-wishing-request.hex",
        .request(
          asked(HandoffPlan(swap: .mirrored(path: "/größer", bytesPerSecond: 65_536)), of: "/x"))),
      Sample(
        "message-11-wishing-trial.hex",
        .request(asked(HandoffPlan(depth: .trial, swap: .mirrored(path: "/größer", bytesPerSecond: nil))))),
    ]
  }()

  private static func asked(_ plan: HandoffPlan = HandoffPlan(), of executable: String = "") -> HandoffRequest
  {
    var request = HandoffRequest(executable: executable, plan: plan)
    request.versions = 1...1
    return request
  }

  @Test(arguments: messages) func aMessageIsSentAsEver(_ message: Sample<Message>) throws {
    #expect(try Fixture(message.name).difference(from: message.value.encoded) == nil)
  }

  /// To a VMM that says no later version of itself: one of that time understands it.
  @Test(arguments: formerRequests) func aRequestOfVersion1IsSentAsEver(_ message: Sample<Message>) throws {
    #expect(try Fixture(message.name).difference(from: message.value.encoded(speaking: 1)) == nil)
  }

  @Test(arguments: messages + formerRequests) func aMessageIsReadForGood(_ message: Sample<Message>) throws {
    #expect(try Message(decoding: Fixture(message.name).bytes()) == message.value)
  }
}
