/// A bar and a text, on one line of a terminal: a longer one could not be taken off again.
package struct ProgressLine: CustomStringConvertible {
  /// Columns of the bar where there is room, and those without which it is left out.
  private static let width = 30
  private static let leastWidth = 5

  package let description: String

  /// - Parameters:
  ///   - share: how far it is, 0 to 1.
  ///   - columns: of the terminal.
  package init(share: Double, _ text: String, columns: Int) {
    // The last column is left free, since some terminals begin a new line behind it.
    let room = max(columns - 1, 0)
    let width = min(ProgressLine.width, room - text.count - 3)
    guard width >= ProgressLine.leastWidth else {
      description = String(text.prefix(room))
      return
    }
    let filled = Int(min(max(share, 0), 1) * Double(width))
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
    description = "[\(bar)] \(text)"
  }
}
