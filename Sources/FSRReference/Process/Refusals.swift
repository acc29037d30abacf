public import FSRHandoff
public import FSRMemory
public import FSRStorage

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

extension PagingError: RefusalReason {
  public var refusalCode: RefusalCode? {
    switch self {
    case .noUserFault(let error): error.refusalCode ?? .rights
    case .late: .deadline
    case .notPageTable, .wrongSize, .badRange, .badDirectory, .badCounts, .badCache, .notFrozen: nil
    }
  }
}

extension SwapError: RefusalReason {
  public var refusalCode: RefusalCode? {
    switch self {
    case .inUse: .locks
    case .hangs: .deadline
    case .full(let error): error.refusalCode ?? .headroom
    case .outOfSlots: .headroom
    case .notOwned, .openToOthers, .readOnly: .rights
    case .inputOutput(let error), .system(let error): error.refusalCode ?? .swap
    case .notCopied(_, let failure): failure.cause?.refusalCode ?? .swap
    case .notPlain, .ownFile, .foreign, .tooSmall, .otherFile, .noSuchSlot, .notHeld, .undecodable, .bitmap:
      .swap
    }
  }
}
