package import FSRHandoff
public import FSRSystem

/// What went wrong for whoever asked, as one line, with the kind that decides the exit code.
public struct VMError: Reasoned {
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
  public let reason: Reason

  public init(_ kind: Kind, _ reason: Reason) {
    self.kind = kind
    self.reason = reason
  }

  public init(_ kind: Kind, _ what: String, remedy: String? = nil, code: ReasonCode? = nil) {
    self.init(kind, Reason(what, remedy: remedy, code: code))
  }

  package init(_ error: SystemError) { self.init(.other, error.reason) }

  /// Of a look at the newest block of the VM `name`, which may be what is wrong.
  package init(_ error: HandoffError, unusable name: String) {
    if let unusable = error.unusableBlock(of: name) {
      self.init(.refused, unusable.reason)
    } else {
      self.init(.other, error.reason)
    }
  }

  package init(_ error: any Error) {
    if let error = error as? VMError {
      self = error
    } else {
      self.init(.other, Reason(of: error))
    }
  }
}
