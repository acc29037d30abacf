public import FSRSystem

/// Why a party refused, for a program: it travels beside the reason, in the message and in the control block.
///
/// The numbers are the protocol's and stay. A number that is not known here is read as none.
public enum RefusalCode: UInt32, CaseIterable, Hashable, Sendable {
  /// The two builds have no protocol or no state section in common.
  case version = 1
  /// A capability or a permission is missing.
  case rights = 2
  /// A limit of the process is too low (getrlimit(2)).
  case limits = 3
  /// The host has too little of what was asked for: memory, huge pages, room on a disk, room in the ledger.
  case headroom = 4
  /// Something that must be held alone is held by another process.
  case locks = 5
  /// It took longer than the caller allows.
  case deadline = 6
  /// A file that goes with the VM is open for writing in another process.
  case writers = 7
  /// Another process could not use a descriptor that goes with the VM.
  case descriptor = 8
  /// A swap file cannot be used as it was asked for.
  case swap = 9
  /// The guest waits for a page of its memory that cannot be brought in.
  case page = 10
  /// Something else is under way with the VM that ends by itself: a handoff, a check.
  case busy = 11
}

/// An error that knows its code.
public protocol RefusalReason: Error {
  var refusalCode: RefusalCode? { get }
}

extension RefusalCode {
  /// The code of whatever was thrown; nil where it has none.
  public static func of(_ error: any Error) -> RefusalCode? { (error as? any RefusalReason)?.refusalCode }
}

extension SystemError: RefusalReason {
  public var refusalCode: RefusalCode? {
    switch shortage {
    case .limit: .limits
    case .right: .rights
    case .room: .headroom
    case nil: nil
    }
  }
}

extension HandoffError: RefusalReason {
  public var refusalCode: RefusalCode? {
    switch self {
    case .system(let error): error.refusalCode
    case .refused(_, let code): code
    case .noCommonProtocol, .sectionUnknown: .version
    case .state, .badBlock, .protocolViolation, .noVMM, .peerGone, .deadline, .aborted, .tried, .wrongProcess:
      nil
    }
  }
}
