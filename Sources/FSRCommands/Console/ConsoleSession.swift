internal import FSRClient
internal import FSRSystem

/// One `fsr console`: between the standard streams and a VM's console, until one of them ends.
struct ConsoleSession: ~Copyable {
  /// How it ended.
  enum End: Equatable {
    /// By the escape key, with so many typed bytes that the guest has not read and now never will.
    case left(untyped: Int)
    /// By the input's end, when the guest had read all of it.
    case inputEnded
    /// By the input's end, with so many bytes that the guest does not read.
    case unread(Int)
    /// By this signal.
    case interrupted(Int32)
    /// Nobody reads standard output any more.
    case outputClosed
    case outputFailed(SystemError)
    case vm(ConsoleLink.Life)
  }

  enum Input { case none, terminal, stream }

  /// Nanoseconds between two looks at what has become of the VM.
  private static let pollInterval: UInt64 = 100_000_000
  /// How long it waits for room before it looks at the streams again.
  private static let roomWait: UInt64 = 10_000_000
  /// How long a guest may read nothing of an input that has ended.
  private static let deafness: UInt64 = 10_000_000_000
  /// How long the guest has printed nothing when an input that has ended is dealt with.
  private static let silence: UInt64 = 1_000_000_000
  private static let chunk = 4096
  /// Bytes typed at a terminal that wait here at most: until then the escape key is seen whatever the guest does.
  private static let typedLimit = 1 << 20

  private enum Token {
    static let signals = 0
    static let output = 1
    static let input = 2
  }

  private let link: ConsoleLink
  private let output: ConsoleOutput
  private let signals: SignalDescriptor
  private let input: Owned<OwnedDescriptor>?
  private let kind: Input
  private let escape: UInt8?
  private let mode: Owned<TerminalMode>?

  private var typed = TypedAhead()
  private var isInputOver = false
  private var nextLook: UInt64 = 0
  /// What the guest had not read when it last read something, and since when.
  private var unread = Int.max
  private var unreadSince: UInt64 = 0
  private var isFinishing: ConsoleLink.Life?

  /// - Parameters:
  ///   - escape: the byte that leaves, at a terminal.
  ///   - mode: the terminal's, in raw mode; it is restored when the session goes.
  init(
    _ link: ConsoleLink, output: ConsoleOutput, signals: consuming SignalDescriptor,
    input: Owned<OwnedDescriptor>?, escape: UInt8?, mode: Owned<TerminalMode>?
  ) {
    self.link = link
    self.output = output
    self.signals = signals
    if input == nil {
      kind = .none
    } else {
      kind = mode == nil ? .stream : .terminal
    }
    self.input = input
    self.escape = escape
    self.mode = mode
  }

  /// Returns when it is over; the terminal is as it was before.
  consuming func run() throws -> End {
    while true {
      if let end = try turn() {
        output.abandon()
        mode?.value.restore()
        return end
      }
    }
  }

  private mutating func turn() throws -> End? {
    let taken = link.takenCount
    if !typed.isEmpty { typed.removeFirst(link.type(typed.waiting)) }
    let now = MonotonicClock.now()
    if isFinishing == nil, now >= nextLook {
      nextLook = now + Self.pollInterval
      see(link.life(), now)
    }
    if isInputOver, isFinishing == nil, let end = inputEnd(now) { return end }
    return try listen(taken)
  }

  // MARK: the VM

  private mutating func see(_ life: ConsoleLink.Life, _ now: UInt64) {
    switch life {
    case .running: break
    // A guest that stands still is not deaf.
    case .standing: unreadSince = now
    case .ended, .stopped, .lost:
      // Nobody writes any more: what is there is all there will be.
      isFinishing = life
      output.finish()
    }
  }

  // MARK: the streams

  /// - Parameter taken: how many bytes the guest had taken before this turn.
  private mutating func listen(_ taken: UInt64) throws -> End? {
    var poller = Poller()
    poller.watch(signals.descriptor, token: Token.signals)
    poller.watch(output.ended.descriptor, token: Token.output)
    watchInput(&poller)
    var timeout = Self.pollInterval
    if isFinishing == nil, !typed.isEmpty || isInputOver {
      link.waitForRoom(beyond: taken, timeout: Self.roomWait)
      timeout = 0
    }
    let ready = try poller.wait(timeout: timeout)
    if ready.contains(Token.signals), let number = try endingSignal() { return .interrupted(number) }
    if ready.contains(Token.output) { return outputEnd() }
    if ready.contains(Token.input) { return try read() }
    return nil
  }

  private func watchInput(_ poller: inout Poller) {
    guard !isInputOver, isFinishing == nil else { return }
    // A stream waits where it comes from; a terminal is read on, for the escape key.
    switch kind {
    case .none: return
    case .stream: if !typed.isEmpty { return }
    case .terminal: if typed.count >= Self.typedLimit { return }
    }
    if let input { poller.watch(input.value, token: Token.input) }
  }

  private mutating func read() throws -> End? {
    let bytes: [UInt8]
    do throws(SystemError) {
      guard let read = try input?.value.read(limit: Self.chunk) else { return nil }
      bytes = read
    } catch {
      if error.isTimeout { return nil }
      // A terminal that is gone has ended.
      guard kind == .terminal, error.isInputOutput else {
        throw Failure(.failed, "standard input cannot be read: \(error)")
      }
      bytes = []
    }
    if bytes.isEmpty {
      if kind == .terminal { return .left(untyped: typed.count) }
      isInputOver = true
      return nil
    }
    guard kind == .terminal, let escape, let end = bytes.firstIndex(of: escape) else {
      typed.append(bytes[...])
      return nil
    }
    typed.append(bytes[..<end])
    if !typed.isEmpty { typed.removeFirst(link.type(typed.waiting)) }
    return .left(untyped: typed.count)
  }

  private func outputEnd() -> End {
    if let failure = output.failure { return failure.isBrokenPipe ? .outputClosed : .outputFailed(failure) }
    return isFinishing.map { .vm($0) } ?? .outputClosed
  }

  /// The signal that ends this process; nil where none has come.
  private func endingSignal() throws -> Int32? {
    guard let number = try signals.next() else { return nil }
    guard number == SignalNumber.terminalStop else { return number }
    // Whoever has the terminal meanwhile finds it as it was.
    mode?.value.restore()
    ProcessDescriptor.signalSelf(SignalNumber.stop)
    try mode?.value.makeRaw()
    return nil
  }

  // MARK: the end of the input

  private mutating func inputEnd(_ now: UInt64) -> End? {
    let left = typed.count + link.untakenCount
    if left != unread {
      unread = left
      unreadSince = now
    }
    let waited = now > unreadSince ? now - unreadSince : 0
    if left > 0 { return waited >= Self.deafness ? .unread(left) : nil }
    return min(waited, output.quietTime(at: now)) >= Self.silence ? .inputEnded : nil
  }
}
