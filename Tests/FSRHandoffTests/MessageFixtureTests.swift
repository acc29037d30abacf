import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// Every message that the parties have for each other, as it was sent once.
@Suite struct MessageFixtureTests {
  static let messages: [Sample<Message>] = {
    var request = HandoffRequest(executable: "/opt/neu/fsr", fault: "source:stun:kill")
    request.versions = 1...3
    let wishes = [HandoffWish("swap-file", "/größer"), HandoffWish("copy-rate", "65536")]
    var hello = Hello(
      isSuccessor: false,
      sections: [
        SectionVersion(name: "hart.0", version: 1),
        SectionVersion(name: "load", version: 0x0102, isNeeded: false),
      ], build: "6c62272e07bb0142", fault: "destination:prepare:kill")
    hello.versions = 1...2
    return [
      Sample("message-1-request.hex", .request(HandoffRequest())),
      Sample("message-1-request-full.hex", .request(request)),
      Sample("message-2-accepted.hex", .accepted),
      Sample("message-3-refused.hex", .refused(Reason("weil nicht: größer"))),
      Sample(
        "message-3-refused-remedy.hex", .refused(Reason("zu wenig", remedy: "mehr; größer", code: .limits))),
      Sample("message-3-refused-code.hex", .refused(Reason("zu wenig", code: .headroom))),
      Sample("message-4-hello.hex", .hello(hello)),
      Sample(
        "message-4-hello-successor.hex", .hello(Hello(isSuccessor: true, sections: [], build: ""))),
      Sample("message-5-agreed.hex", .agreed(Agreement(version: 1, build: "6c62272e07bb0142"))),
      Sample("message-6-manifest.hex", .manifest),
      Sample("message-7-prepared.hex", .prepared),
      Sample("message-8-holding.hex", .holding),
      Sample("message-9-trial.hex", .request(HandoffRequest(isTrial: true))),
      Sample(
        "message-10-wishing-request.hex", .request(HandoffRequest(executable: "/x", wishes: wishes))),
      Sample(
        "message-11-wishing-trial.hex", .request(HandoffRequest(isTrial: true, wishes: [wishes[0]]))),
    ]
  }()

  @Test(arguments: messages) func aMessageIsSentAsEver(_ message: Sample<Message>) throws {
    #expect(try Fixture(message.name).difference(from: message.value.encoded) == nil)
  }

  @Test(arguments: messages) func aMessageIsReadForGood(_ message: Sample<Message>) throws {
    #expect(try Message(decoding: Fixture(message.name).bytes()) == message.value)
  }
}
