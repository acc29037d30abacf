import FSRCommands
import FSRHost
import FSRTestSupport
import Testing

/// What `fsr status --json` prints of an answer, as it was printed once: scripts rely on it.
@Suite struct StatusFixtureTests {
  /// Answers as VMMs send them, by the names of the bytes that are held of them.
  static let names = ["status-full", "status-bare", "status-reset", "status-kind"]

  private static func answer(_ name: String) throws -> StatusAnswer {
    let sent = try Fixture("../../FSRHostTests/Fixtures/\(name).hex").bytes()
    return StatusAnswer(VMStatus(try VMReport(decoding: sent), isAnswered: true))
  }

  @Test(arguments: names) func anAnswerIsPrintedAsEver(name: String) throws {
    let json = try Self.answer(name).json
    #expect(try Fixture("\(name).json").difference(from: Array(json.utf8)) == nil)
  }

  @Test(arguments: names) func whatIsPrintedIsReadForGood(name: String) throws {
    let json = String(decoding: try Fixture("\(name).json").bytes(), as: UTF8.self)
    #expect(try StatusAnswer(json: json) == Self.answer(name))
  }

  /// Of builds that knew one kind of VMM.
  @Test(arguments: ["status-full", "status-bare", "status-reset"]) func whatWasPrintedIsReadForGood(
    name: String
  ) throws {
    let json = String(decoding: try Fixture("old/\(name).json").bytes(), as: UTF8.self)
    #expect(try StatusAnswer(json: json) == Self.answer(name))
  }

  /// Of a VM for which nobody answers.
  @Test func aSilentVMIsPrintedAsEver() throws {
    var report = VMReport(name: "größer", state: .lost)
    report.runner.generation = 5
    var status = VMStatus(report, isAnswered: false)
    status.silence = "nobody lives"
    let json = StatusAnswer(status).json
    #expect(try Fixture("status-lost.json").difference(from: Array(json.utf8)) == nil)
    #expect(try StatusAnswer(json: json) == StatusAnswer(status))
  }
}
