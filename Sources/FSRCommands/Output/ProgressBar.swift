internal import FSRSystem

/// How far something is that takes longer than a second; silent where nobody looks.
struct ProgressBar {
  /// Nanoseconds between two drawings, and before the first.
  private static let interval: UInt64 = 200_000_000

  private let terminal: Terminal
  private let isShown: Bool
  private var isDrawn = false
  private var lastDrawn = MonotonicClock.now()

  init(on terminal: Terminal = .errors) {
    self.terminal = terminal
    isShown = terminal.isInteractive
  }

  mutating func show(_ label: String, done: Int, of total: Int) {
    guard total > 0 else { return }
    draw(Double(done) / Double(total), "\(done)/\(total) \(label)")
  }

  mutating func show(_ label: String, bytes done: UInt64, of total: UInt64) {
    guard total > 0 else { return }
    draw(Double(done) / Double(total), "\(ByteSize.readable(done))/\(ByteSize.readable(total)) \(label)")
  }

  private mutating func draw(_ share: Double, _ text: String) {
    guard isShown, MonotonicClock.now() > lastDrawn + ProgressBar.interval else { return }
    lastDrawn = MonotonicClock.now()
    isDrawn = true
    terminal.write(
      "\r\u{1b}[K" + ProgressLine(share: share, text, columns: terminal.columns ?? 80).description)
  }

  /// Takes the bar off the screen.
  mutating func clear() {
    if isDrawn { terminal.write("\r\u{1b}[K") }
    isDrawn = false
  }
}
