internal import ArgumentParser
internal import FSRSystem

/// The `fsr` process, from its arguments to its exit code.
public enum FSRCommandLine {
  /// Describes the options that commit faults, which the help leaves out.
  static let faultManual = "docs/testing.md"

  /// Runs the command that `words` (the program's name left out) ask for; answers the exit code.
  ///
  /// Answers go to standard output. Whatever fails says so in one line on standard error.
  public static func run(_ words: [[UInt8]]) -> Int32 {
    // A file that is opened later must not become a standard stream that is not there.
    try? OwnedDescriptor.fillStandardStreams()
    // Whoever reads an answer may leave before its end.
    try? SignalAction.ignoreBrokenPipes()
    // From here on: one that comes while a command is still read is seen by the command.
    let signals = Interruption.signals
    try? SignalAction.hold(signals)
    let arguments = words.map { String(decoding: $0, as: UTF8.self) }
    // Repaired it would be the name of something else.
    if let flaw = Arguments.flaw(in: words) {
      return refuseUsage("the argument '\(flaw)' is not UTF-8", arguments)
    }
    do {
      var command = try FSRCommand.parseAsRoot(arguments)
      if let command = command as? any InRuntimeFolder {
        Hints.current = Hints(folder: command.runtime.runtimeDir, name: command.subject)
      }
      if (command as? any Interruptible)?.seesToSignals != true { try? SignalAction.letThrough(signals) }
      try command.run()
      return FSRExit.done.rawValue
    } catch let failure as Failure {
      complain(failure.description)
      return failure.exit.rawValue
    } catch {
      return end(error, arguments)
    }
  }

  /// What the parser ends with: help that was asked for, or wrong usage.
  private static func end(_ error: any Error, _ arguments: [String]) -> Int32 {
    guard FSRCommand.exitCode(for: error) != .success else {
      do { try Terminal.output.put(FSRCommand.fullMessage(for: error) + "\n") } catch {
        complain("this cannot be written to standard output: \(error.meaning)")
        return FSRExit.failed.rawValue
      }
      return FSRExit.done.rawValue
    }
    var message = FSRCommand.unknownCommand(in: arguments) ?? FSRCommand.message(for: error)
    // What to do follows it on the same line.
    if message.hasSuffix(".") { message.removeLast() }
    return refuseUsage(message, arguments)
  }

  private static func refuseUsage(_ message: String, _ arguments: [String]) -> Int32 {
    let asked = FSRCommand.answering(arguments)
    let others = [ConsoleCommand.configuration.commandName, LogCommand.configuration.commandName]
    let words = asked?.words ?? others.compactMap { $0 }.first { $0 == arguments.first }
    let help = words.map { "fsr \($0) --help" } ?? "fsr --help"
    let failure = Failure(.usage, message)
    if arguments.contains("--json"), let command = asked?.command {
      Terminal.output.write(command.blankJSON(reason: failure.description))
    }
    let rest = message.hasSuffix("?") ? " See `\(help)`" : "; see `\(help)`"
    complain(failure.description + (message.contains(faultManual) ? "" : rest))
    return FSRExit.usage.rawValue
  }

  private static func complain(_ sentence: String) {
    let hints = Hints.current
    Terminal.errors.write(Terminal.errors.styled("fsr:", .red) + " \(hints.complete(sentence.printable))\n")
  }
}
