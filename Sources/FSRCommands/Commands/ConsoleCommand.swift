internal import ArgumentParser
internal import FSRClient
internal import FSRSystem

/// `fsr console`
struct ConsoleCommand: ParsableCommand, Interruptible, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "console", abstract: "Attach to a VM's console, over handoffs too.",
    discussion: """
      Prints what is kept of the guest's output, up to the last 1M, and then what comes; what is typed goes to the \
      guest. It stays attached while the VM goes from process to process. At a terminal every key goes to the guest \
      but the escape key, which leaves. From a pipe or a file everything is typed; at its end it waits until the \
      guest has read all of it and printed nothing for a second. Several may be attached at once.

      Examples:
        fsr console web
        fsr console web --escape ^A
        fsr console web --read-only --new
        printf 'uptime\\n' | fsr console web
      """)

  @OptionGroup var subjectName: NameArgument
  @Option(
    help: ArgumentHelp(
      "The key that leaves at a terminal: as ^] or Ctrl-], one character, or `none`. (default: Ctrl-])",
      valueName: "key"),
    transform: EscapeKey.init(parsing:))
  var escape = EscapeKey.standard
  @Flag(help: "Only watch: type nothing.") var readOnly = false
  @Flag(help: "Leave out what is kept, print only what comes.") var new = false
  @OptionGroup var runtime: RuntimeOptions

  var subject: String? { subjectName.name.description }

  func run() throws {
    do { try attach() } catch { throw Failure(error) }
  }

  private func attach() throws {
    // Before any thread is started, so that each leaves the signals to this one.
    let signals = try SignalDescriptor(signals: Interruption.signals + [SignalNumber.terminalStop])
    let name = subjectName.name
    let link = try VMClient.console(of: try runtime.folder(of: name)) {
      (try? signals.next()).flatMap { $0 } != nil
    }
    var input: Owned<OwnedDescriptor>?
    var mode: Owned<TerminalMode>?
    if !readOnly {
      let standard = try OwnedDescriptor.standardInput()
      if let raw = try TerminalMode.raw(try standard.duplicate()) { mode = Owned(raw) }
      input = Owned(standard)
    }
    let isRaw = mode != nil
    let say = { @Sendable (line: String) in
      // In raw mode a line begins where the last one ended.
      Terminal.errors.write(isRaw ? "\r\(line)\r\n" : "\(line)\n")
    }
    greet(isRaw, say)
    let output = try ConsoleOutput(of: link, to: try OwnedDescriptor.standardOutput()) { count in
      say("fsr: \(count) bytes of output are missing here: they came faster than they were read")
    }
    try output.start(skippingKept: new)
    let end = try ConsoleSession(
      link, output: output, signals: signals, input: input, escape: escape.byte, mode: mode
    ).run()
    if isRaw { Terminal.errors.write("\n") }
    try tell(end)
  }

  private func greet(_ isRaw: Bool, _ say: (String) -> Void) {
    if isRaw {
      say(
        escape.byte == nil
          ? "fsr: attached to \(subjectName.name); no key leaves"
          : "fsr: attached to \(subjectName.name); \(escape) leaves")
    } else if readOnly, Terminal.errors.isInteractive {
      say("fsr: watching \(subjectName.name); Ctrl-C leaves")
    }
  }

  /// Says how it ended where that is no success.
  private func tell(_ end: ConsoleSession.End) throws {
    let name = subjectName.name
    switch end {
    case .left(let untyped):
      if untyped > 0 {
        Terminal.errors.line(
          "fsr: the guest did not read the last \(untyped) bytes that were typed; they are gone")
      }
    case .inputEnded, .outputClosed: break
    case .unread(let count):
      throw Failure(.failed, "the guest of \(name) reads no input: \(count) bytes of it were not read")
    case .interrupted(let number):
      if !readOnly {
        throw Failure(.failed, "interrupted by \(SignalNumber.name(of: number)); \(name) is as it was")
      }
    case .outputFailed(let error):
      throw Failure(.failed, "standard output cannot be written: \(error)")
    case .vm(let life): try tell(life)
    }
  }

  private func tell(_ life: ConsoleLink.Life) throws {
    let name = subjectName.name
    switch life {
    case .ended(let end): if let failure = Failure(end, of: name.description) { throw failure }
    case .lost:
      throw Failure(.lost, "\(name) is lost: nobody runs it or can; `fsr stop \(name)` clears up")
    case .stopped: Terminal.errors.line("fsr: \(name) was stopped")
    case .running, .standing: break
    }
  }
}
