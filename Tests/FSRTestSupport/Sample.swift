public import Testing

/// An argument of a test that goes by a name of its own: what is long, or says nothing, is not printed with every run.
public struct Sample<Value: Sendable>: Sendable, CustomTestStringConvertible {
  public let name: String
  public let value: Value

  public init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }

  public var testDescription: String { name }
}
