internal import FSRSystem

/// How far something is that takes longer than a second; silent where nobody looks.
struct ProgressBar {
  /// Nanoseconds between two drawings, and before the first.
  private static let interval: UInt64 = 200_000_000
  private static let width = 30

  private let terminal: Terminal
  private let isShown: Bool
  private var isDrawn = false
  private var lastDrawn = MonotonicClock.now()

  init(on terminal: Terminal = .errors) {
    self.terminal = terminal
    isShown = terminal.isInteractive
  }

  mutating func show(_ label: String, done: Int, of total: Int) {
    guard isShown, total > 0, MonotonicClock.now() > lastDrawn + ProgressBar.interval else { return }
    lastDrawn = MonotonicClock.now()
    isDrawn = true
    let filled = min(max(done, 0), total) * ProgressBar.width / total
    let bar =
      String(repeating: "#", count: filled) + String(repeating: "-", count: ProgressBar.width - filled)
    terminal.write("\r\u{1b}[K[\(bar)] \(done)/\(total) \(label)")
  }

  /// Takes the bar off the screen.
  mutating func clear() {
    if isDrawn { terminal.write("\r\u{1b}[K") }
    isDrawn = false
  }
}
