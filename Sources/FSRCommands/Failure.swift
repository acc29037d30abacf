/// Why a command ends with another code than 0: one sentence, with what to do about it.
struct Failure: Error, Equatable, CustomStringConvertible {
  let exit: FSRExit
  let description: String

  /// Characters in a description at most; of a longer one the middle is left out.
  private static let limit = 1000

  /// `description` may hold what a user typed, or a file's name: it is made printable.
  init(_ exit: FSRExit, _ description: String) {
    self.exit = exit
    let text = description.printable
    let half = Failure.limit / 2
    self.description = text.count > Failure.limit ? "\(text.prefix(half)) … \(text.suffix(half))" : text
  }
}
