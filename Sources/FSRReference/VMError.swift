public import FSRHandoff
internal import FSRSystem

/// What went wrong for whoever asked, as one line, with the kind that decides the exit code.
public struct VMError: RefusalReason, Sendable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// Nothing was touched: a blocker, a name in use, a bad guest.
    case refused
    /// Called off or failed; the source runs.
    case calledOff
    /// Nobody runs the guest; `fsr recover` is needed.
    case stunned
    case lost
    case noSuchVM
    case usage
    case other
  }

  public let kind: Kind
  public let description: String
  /// The code of what was behind it; nil where it has none.
  public let refusalCode: RefusalCode?

  public init(_ kind: Kind, _ description: String) {
    self.init(kind, description, code: nil)
  }

  init(_ kind: Kind, _ description: String, code: RefusalCode?) {
    self.kind = kind
    self.description = description
    refusalCode = code
  }

  init(_ error: SystemError) { self.init(.other, "\(error)", code: error.refusalCode) }

  init(_ error: any Error) {
    if let error = error as? VMError {
      self = error
    } else {
      self.init(.other, "\(error)", code: RefusalCode.of(error))
    }
  }
}
