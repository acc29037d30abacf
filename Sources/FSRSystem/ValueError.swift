/// A text that a person typed and that cannot be what it should be: one sentence that says why.
public struct ValueError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
