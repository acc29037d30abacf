/// Why a command ends with another code than 0: one sentence, with what to do about it.
struct Failure: Error, Equatable, CustomStringConvertible {
  let exit: FSRExit
  let description: String

  /// A line break in `description`, which may hold what a user typed, becomes a space.
  init(_ exit: FSRExit, _ description: String) {
    self.exit = exit
    self.description = String(description.map { $0.isNewline ? " " : $0 })
  }
}
