internal import ArgumentParser

/// How much of what is kept is asked for.
struct LastOption: ParsableArguments {
  /// More than any file has lines.
  private static let limit = 1_000_000_000

  @Option(help: ArgumentHelp("Only so many of the newest. (default: all)", valueName: "number")) var last:
    Int?

  func validate() throws {
    guard let last else { return }
    guard (1...Self.limit).contains(last) else {
      throw ValidationError("'--last' is a number from 1 to \(Self.limit)")
    }
  }
}
