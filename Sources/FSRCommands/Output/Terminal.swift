internal import FSRSystem
internal import Glibc

/// One of the process's standard streams, written without a buffer, so that nothing is lost or late however
/// the process ends.
struct Terminal: Sendable {
  static let output = Terminal(number: 1)
  static let errors = Terminal(number: 2)

  private let number: Int32

  /// Writes `text` as it is, and does without it where it cannot be written.
  func write(_ text: String) { try? put(text) }

  /// Writes `text` as it is. Nobody who reads it any more is no reason to fail; a full disk is, and a stream that is
  /// closed.
  func put(_ text: String) throws(SystemError) {
    do throws(SystemError) { try deliver(Array(text.utf8)) } catch { if !error.isBrokenPipe { throw error } }
  }

  /// Writes all of `bytes`, however slowly they are taken.
  func deliver(_ bytes: [UInt8]) throws(SystemError) {
    let stream = OwnedDescriptor(adopting: number)
    let failure: SystemError?
    do throws(SystemError) {
      try stream.writePatiently(bytes)
      failure = nil
    } catch { failure = error }
    // The stream belongs to the process, not to this call.
    _ = stream.release()
    if let failure { throw failure }
  }

  /// Writes `text`, which may hold the names of files, as one line, with the commands in it completed.
  func line(_ text: String) { write(Hints.current.complete(text.printable) + "\n") }

  /// How many columns it has; nil where it does not say.
  var columns: Int? {
    let stream = OwnedDescriptor(adopting: number)
    let columns = stream.terminalColumns
    _ = stream.release()
    return columns
  }

  /// Whether a person looks at it.
  var isInteractive: Bool { isatty(number) == 1 }

  /// Whether colours are welcome (no-color.org).
  var hasColours: Bool {
    let refusal = Environment.all.first { $0.hasPrefix("NO_COLOR=") }
    let isDumb = Environment.all.contains("TERM=dumb")
    return isInteractive && !isDumb && (refusal == nil || refusal == "NO_COLOR=")
  }

  /// `text` in `style` where colours are welcome.
  func styled(_ text: String, _ style: Style) -> String {
    hasColours ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }

  /// Select Graphic Rendition parameters of ECMA-48.
  enum Style: String, Sendable {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
  }
}
