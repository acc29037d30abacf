import FSRSystem
import FSRTestSupport
import Synchronization

/// A `fsr console` as a process of its own, at a terminal or between pipes.
final class ConsoleClient: Sendable {
  enum Place { case terminal, pipes }

  private let child: Owned<ChildProcess>
  private let typing: Mutex<Owned<OwnedDescriptor>?>
  private let showing: Mutex<Owned<OwnedDescriptor>?>
  private let folder: Owned<TemporaryDirectory>
  /// The terminal, where it is at one.
  let terminal: Owned<PseudoTerminal>?
  private let shown = Mutex<[UInt8]>([])
  private let isRead = OneWayFlag()
  private let reader = Mutex<OSThread?>(nil)

  /// - Parameter isRead: whether somebody reads what it prints.
  init(_ vm: TestVM, _ place: Place, _ options: [String] = [], isRead: Bool = true) throws {
    folder = Owned(try TemporaryDirectory())
    let errors = try folder.value.directory.openFile("errors", .append)
    let arguments = ["fsr", "console", vm.name, "--runtime-dir", vm.runtime] + options
    func spawn(_ input: borrowing OwnedDescriptor, _ output: borrowing OwnedDescriptor) throws -> ChildProcess
    {
      try ChildProcess.spawn(
        executable: BuiltCommand.path(), arguments: arguments, environment: BuiltCommand.environment(),
        inheriting: [.init(input.number, as: 0), .init(output.number, as: 1), .init(errors.number, as: 2)])
    }
    switch place {
    case .terminal:
      let made = Owned(try PseudoTerminal())
      terminal = made
      typing = Mutex(Owned(try made.value.person.duplicate()))
      showing = Mutex(Owned(try made.value.person.duplicate()))
      child = Owned(try spawn(made.value.program, made.value.program))
    case .pipes:
      terminal = nil
      let input = try PipeEnds()
      let output = try PipeEnds()
      typing = Mutex(Owned(try input.writing.duplicate()))
      showing = Mutex(Owned(try output.reading.duplicate()))
      child = Owned(try spawn(input.reading, output.writing))
    }
    if isRead { try startReading() }
  }

  deinit { _ = try? child.value.process.signal(SignalNumber.kill) }

  /// Reads what it prints from now on.
  func startReading() throws {
    let thread = try OSThread.start(name: "shown") { [weak self] in
      while let self, self.readOn() {}
    }
    reader.withLock { $0 = thread }
  }

  private func readOn() -> Bool {
    let hasExited = (try? child.value.process.hasExited()) ?? true
    guard let showing = showing.withLock({ $0 }) else { return false }
    var poller = Poller()
    poller.watch(showing.value, token: 0)
    guard let ready = try? poller.wait(timeout: 20_000_000) else { return false }
    guard ready.isEmpty else {
      guard let bytes = try? showing.value.read(limit: 1 << 16), !bytes.isEmpty else { return false }
      shown.withLock { $0 += bytes }
      return true
    }
    return !hasExited
  }

  // MARK: a person's part

  func type(_ bytes: some Sequence<UInt8>) throws {
    try typing.withLock { $0 }?.value.write(Array(bytes))
  }

  func type(_ text: String) throws { try type(text.utf8) }

  /// Ends the input of one between pipes.
  func endInput() { typing.withLock { $0 = nil } }

  /// Whether it stands still by a signal.
  var isStopped: Bool { ProcessTable.state(of: child.value.pid) == .stopped }

  var hasEnded: Bool { (try? child.value.process.hasExited()) ?? true }

  /// Closes what it prints to, which nobody reads.
  func closeOutput() { showing.withLock { $0 = nil } }

  func signal(_ number: Int32) throws { _ = try child.value.process.signal(number) }

  /// What it has printed.
  var output: [UInt8] { shown.withLock { $0 } }

  /// Waits until it has printed `count` bytes.
  func waitForOutput(_ count: Int) -> Bool { TestVM.wait { shown.withLock { $0.count } >= count } }

  /// Waits until the terminal is in raw mode.
  func waitUntilRaw() throws -> Bool {
    try TestVM.wait { try terminal.map { try !$0.value.modes().isCooked } ?? false }
  }

  /// How it ended; nil if it goes on and on. All that it printed has been read then.
  func waitForExit() throws -> ExitStatus? {
    guard try child.value.process.waitForExit(timeout: TestVM.timeout) else { return nil }
    let thread = reader.withLock { thread in
      let old = thread
      thread = nil
      return old
    }
    thread?.join()
    return try child.value.process.reap()
  }

  /// What it has said on standard error.
  func complaints() throws -> String {
    String(
      decoding: try folder.value.directory.openFile("errors", .read).readAll(limit: 1 << 20), as: UTF8.self)
  }
}
