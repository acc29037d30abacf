public import FSRSystem

/// Why a ledger refused, or could not be used.
public enum LedgerError: Reasoned, Equatable {
  /// The file is not what was written: it was cut short or written over. Never taken as an empty one.
  case damaged(path: String, why: String)
  case beyondCapacity(wanted: UInt64, reserved: UInt64, capacity: UInt64, node: Int)
  case belowReserved(wanted: UInt64, reserved: UInt64)
  case full(limit: Int)
  /// The VM has a record that another process keeps.
  case taken(vm: String, owner: Int32)
  case missing(vm: String)
  /// Somebody has held the lock for too long.
  case busy(path: String)
  case system(SystemError)

  public var reason: Reason {
    switch self {
    case .damaged(let path, let why):
      Reason(
        "the ledger \(path) is damaged: \(why)",
        remedy: "`fsr ledger --rebuild` makes it anew from the VMs that run")
    case .beyondCapacity(let wanted, let reserved, let capacity, let node):
      Reason(
        "\(Self.size(wanted)) cannot be reserved: \(Self.size(reserved)) of \(Self.size(capacity)) on node \(node) are "
          + "reserved already",
        remedy: "stop a VM, reserve less, or raise the capacity with `fsr ledger --capacity SIZE`",
        code: .headroom)
    case .belowReserved(let wanted, let reserved):
      Reason(
        "a capacity of \(Self.size(wanted)) is too small: \(Self.size(reserved)) are reserved",
        remedy: "stop a VM first", code: .headroom)
    case .full(let limit):
      Reason(
        "\(limit) VMs have reservations, which is the most that a ledger holds",
        remedy: "stop one, or use another --runtime-dir", code: .headroom)
    case .taken(let vm, let owner):
      Reason(
        "the reservation of \(vm) belongs to process \(owner)", remedy: "`fsr ledger` shows it", code: .locks)
    case .missing(let vm):
      Reason(
        "the ledger has no reservation of \(vm)", remedy: "`fsr ledger --rebuild` finds those of running VMs")
    case .busy(let path):
      Reason(
        "the ledger's lock \(path) is held by a process that does not give it back",
        remedy: "wait, or end it",
        code: .locks)
    case .system(let error): error.reason.causing("the ledger cannot be used")
    }
  }

  /// In the largest unit that divides it.
  private static func size(_ bytes: UInt64) -> String {
    let units: [(String, UInt64)] = [("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
    for (letter, unit) in units where bytes > 0 && bytes % unit == 0 { return "\(bytes / unit)\(letter)" }
    return "\(bytes)"
  }
}
