internal import CFSRLinux
internal import Glibc

/// A terminal in raw mode: every byte comes as it is typed and goes as it is written, and none is a signal.
///
/// What the terminal was like before comes back when the owner goes.
public struct TerminalMode: ~Copyable, Sendable {
  private let terminal: OwnedDescriptor
  private let before: termios

  /// Puts the terminal into raw mode; nil where `terminal` is none.
  ///
  /// A process in the background is stopped by this until it comes to the foreground (SIGTTOU).
  public static func raw(_ terminal: consuming OwnedDescriptor) throws(SystemError) -> TerminalMode? {
    guard terminal.isTerminal else { return nil }
    var mode = termios()
    // SAFETY: written by the call alone.
    if unsafe tcgetattr(terminal.raw, &mode) != 0 {
      throw SystemError("tcgetattr", on: terminal.subject, errno: errno)
    }
    let owner = TerminalMode(terminal: terminal, before: mode)
    try owner.makeRaw()
    return owner
  }

  private init(terminal: consuming OwnedDescriptor, before: termios) {
    self.terminal = terminal
    self.before = before
  }

  deinit { restore() }

  /// Raw mode again, after `restore`.
  public func makeRaw() throws(SystemError) {
    var mode = before
    // SAFETY: a structure of this function's own.
    unsafe cfmakeraw(&mode)
    // At once: what is written meanwhile may be stuck behind a reader that does not read.
    let answer = unsafe tcsetattr(terminal.raw, TCSANOW, &mode)
    if answer != 0 { throw SystemError("tcsetattr", on: terminal.subject, errno: errno) }
  }

  /// What the terminal was like before, for a while.
  public func restore() {
    var mode = before
    // SAFETY: read by the call alone. A terminal that is gone needs no mode.
    _ = unsafe tcsetattr(terminal.raw, TCSANOW, &mode)
  }
}

extension OwnedDescriptor {
  /// Whether it is a terminal.
  public var isTerminal: Bool { isatty(raw) == 1 }

  /// How many columns the terminal has; nil where it does not say, or is none.
  public var terminalColumns: Int? {
    var size = winsize()
    // SAFETY: written by the call alone.
    guard unsafe ioctl(raw, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}
