/// A resource with one owner, shared by reference: for a place that may or may not hold one, which Swift
/// cannot borrow from otherwise. It is given back when the last reference goes.
public final class Owned<Resource: ~Copyable & Sendable>: Sendable {
  public let value: Resource

  public init(_ value: consuming Resource) { self.value = value }
}
