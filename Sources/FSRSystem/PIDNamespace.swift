internal import Glibc

/// The namespace that a process's number belongs to: the same number names another process in another one.
public struct PIDNamespace: Equatable, Hashable, Sendable {
  /// The kernel's number of it (namespaces(7)): no two that exist at a time share it. 0 where it is not known.
  public let number: UInt64

  public init(number: UInt64) { self.number = number }

  /// Of a process that has not said it, or of a kernel that has none.
  public static let unknown = PIDNamespace(number: 0)

  /// This process's. Read once: it stays the same.
  public static var own: PIDNamespace { found ?? .unknown }

  private static let found: PIDNamespace? = {
    // Looked up without a descriptor, which this process may have no room for.
    guard let text = try? SymbolicLink.target(of: "/proc/self/ns/pid"), text.hasPrefix("pid:["),
      text.hasSuffix("]"), let number = UInt64(text.dropFirst("pid:[".count).dropLast())
    else { return nil }
    return PIDNamespace(number: number)
  }()

  /// Whether a number of this namespace means the same here. Where one of the two is not known nothing says otherwise.
  public var isOwn: Bool { number == 0 || self == .own }
}
