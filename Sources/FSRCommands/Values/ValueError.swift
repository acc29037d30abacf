/// A text on the command line that cannot be what it should be: one sentence that says why.
package struct ValueError: Error, Equatable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
