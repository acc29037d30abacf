internal import ArgumentParser
internal import FSRClient
internal import FSRHost
internal import FSRSystem

/// A command that answers: as text for people, or with `--json` as one object, whatever the exit code.
protocol AnsweringCommand: ParsableCommand {
  associatedtype Reply: Answer

  var output: OutputOptions { get }

  /// The answer where there is none.
  static func blank(name: String?, reason: String) -> Reply

  /// The name of the VM that it is about, where it is about one.
  var subject: String? { get }

  /// Does it. A `Failure` or a `VMError` that is thrown has the blank answer.
  func perform() throws -> Outcome<Reply>

  /// The answer for people.
  func lines(of reply: Reply) -> [String]
}

/// What a command comes to: an answer, and why it ends with another code than 0 where it does.
struct Outcome<Reply: Answer> {
  let reply: Reply
  let failure: Failure?

  init(_ reply: Reply, _ failure: Failure? = nil) {
    self.reply = reply
    self.failure = failure
  }
}

extension AnsweringCommand {
  func run() throws {
    let outcome: Outcome<Reply>
    do {
      outcome = try perform()
    } catch {
      let failure = Failure(error)
      outcome = Outcome(Self.blank(name: subject, reason: failure.description), failure)
    }
    let unwritten = answer(outcome)
    if let failure = outcome.failure ?? unwritten { throw failure }
  }

  /// Writes the answer; says why it cannot be.
  private func answer(_ outcome: Outcome<Reply>) -> Failure? {
    var text = ""
    let hints = Hints.current
    if output.json {
      text = hints.complete(outcome.reply.json, isJSON: true)
    } else if outcome.failure == nil {
      text = lines(of: outcome.reply).map { hints.complete($0.printable) + "\n" }.joined()
    }
    do {
      try Terminal.output.put(text)
      return nil
    } catch {
      return Failure(
        .failed,
        "what was asked for is done, but the answer cannot be written to standard output: \(error.meaning)")
    }
  }

  /// The blank answer to a command line that cannot be read.
  static func blankJSON(reason: String) -> String { blank(name: nil, reason: reason).json }
}

extension Failure {
  /// What the rooms below throw, with the exit code that stands for it.
  init(_ error: any Error) {
    switch error {
    case let failure as Failure: self = failure
    case let error as VMError: self.init(FSRExit(error.kind), error.description)
    default: self.init(.failed, "\(error)")
    }
  }
}

extension FSRExit {
  init(_ kind: VMError.Kind) {
    switch kind {
    case .refused: self = .refused
    case .calledOff: self = .calledOff
    case .stunned: self = .stunned
    case .lost: self = .lost
    case .noSuchVM: self = .noSuchVM
    case .usage: self = .usage
    case .other: self = .failed
    }
  }
}
