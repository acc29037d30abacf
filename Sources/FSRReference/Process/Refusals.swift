public import FSRHandoff
public import FSRMemory

/// What stands behind an error of the organs, for who asked for a handoff.
extension MemoryError: RefusalReason {
  public var refusalCode: RefusalCode? {
    switch self {
    case .notLocked(_, _, let error): error.refusalCode
    case .noHugePages, .notPlaced: .headroom
    case .unsealed, .tooShort: nil
    }
  }
}

extension LedgerError: RefusalReason {
  public var refusalCode: RefusalCode? {
    switch self {
    case .beyondCapacity, .belowReserved, .full: .headroom
    case .busy, .taken: .locks
    case .system(let error): error.refusalCode
    case .damaged, .missing: nil
    }
  }
}
