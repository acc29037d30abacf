internal import ArgumentParser
internal import FSRClient
internal import FSRSystem

/// `fsr log`
struct LogCommand: ParsableCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Print what a VM's VMMs have to say.",
    discussion: """
      Also of a VM that is lost, and of one whose guest has ended. Control characters are written out, as \\u{1b}. \
      With --follow it goes on over handoffs until the VM ends; Ctrl-C leaves.

      Examples:
        fsr log web
        fsr log web --last 20
        fsr log web --last 1 --follow
      """)

  /// Nanoseconds between two looks at the file, and how many of those there are to one at the VM.
  private static let interval: UInt64 = 50_000_000
  private static let looks = 4

  @OptionGroup var subjectName: NameArgument
  @Flag(help: "Go on with what is written from now on.") var follow = false
  @OptionGroup var amount: LastOption
  @OptionGroup var runtime: RuntimeOptions

  var subject: String? { subjectName.name.description }

  func run() throws {
    do { try print() } catch let error as SystemError where error.isBrokenPipe {
      // Nobody reads any more, as behind head(1).
    } catch { throw Failure(error) }
  }

  /// Signals are left as they are: whoever reads slowly can be left too.
  private func print() throws {
    let folder = try runtime.folder(of: subjectName.name)
    var log = try LogReader(of: folder, last: amount.last)
    var text = PlainText()
    guard follow else {
      try Self.copy(from: &log, as: &text)
      return try Terminal.output.deliver(Array(text.finish().utf8))
    }
    var life = try VMLife(of: folder)
    while true {
      // What was written before the end is read after it was seen.
      let end = life.end()
      try Self.copy(from: &log, as: &text)
      if let end {
        try Terminal.output.deliver(Array(text.finish().utf8))
        return try tell(end)
      }
      for _ in 1..<Self.looks {
        MonotonicClock.sleep(Self.interval)
        try Self.copy(from: &log, as: &text)
      }
      MonotonicClock.sleep(Self.interval)
    }
  }

  private static func copy(from log: inout LogReader, as text: inout PlainText) throws {
    while true {
      let bytes = try log.next()
      if bytes.isEmpty { return }
      try Terminal.output.deliver(Array(text.take(bytes).utf8))
    }
  }

  private func tell(_ end: VMLife.End) throws {
    let name = subjectName.name
    switch end {
    case .ended: Terminal.errors.line("fsr: the guest of \(name) has ended; `fsr history \(name)` says how")
    case .stopped: Terminal.errors.line("fsr: \(name) was stopped")
    case .lost: throw Failure(.lost, "\(name) is lost: nobody runs it or can; `fsr stop \(name)` clears up")
    }
  }
}
