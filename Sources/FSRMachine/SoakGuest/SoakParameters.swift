import FSRMemory

/// What the soak guest is told, in its memory.
public struct SoakParameters: Equatable, Sendable {
  /// "FSRPARAM", least significant byte first.
  static let magic: UInt64 = 0x4d41_5241_5052_5346
  static let version: UInt64 = 1
  /// Bytes in guest memory.
  static let size: UInt64 = 48

  /// Share of the time in which the guest works, 1 to 100; the rest it sleeps.
  public var dutyPercent: UInt64 = 100
  /// Bytes of the working set of all harts together; 0 is all free RAM.
  public var workingSet: UInt64 = 0
  /// The working set takes every n-th page: a sparse one lies all over a large RAM.
  public var stride: UInt64 = 1

  public init() {}

  /// Writes the parameters into the guest before its first instruction; answers false where there is no soak
  /// guest in it.
  public func write(to machine: Machine) -> Bool {
    guard let offset = Self.offset(in: machine) else { return false }
    machine.memory.atomicStoreRelaxed(dutyPercent, at: offset + 16)
    machine.memory.atomicStoreRelaxed(workingSet, at: offset + 24)
    machine.memory.atomicStoreRelaxed(stride, at: offset + 32)
    return true
  }

  /// Opens a new window for the guest's gap measurement: every hart that sees it starts again from 0, and
  /// says so in its statistics. Answers the window's number, nil where there is no soak guest.
  public static func openWindow(in machine: Machine) -> UInt64? {
    guard let offset = offset(in: machine) else { return nil }
    let number = machine.memory.atomicLoadRelaxed(offset + 40, as: UInt64.self) &+ 1
    machine.memory.atomicStoreRelaxed(number, at: offset + 40)
    return number
  }

  /// The window that is open now; nil where there is no soak guest.
  public static func currentWindow(in machine: Machine) -> UInt64? {
    offset(in: machine).map { machine.memory.atomicLoadRelaxed($0 + 40) }
  }

  private static func offset(in machine: Machine) -> UInt64? {
    guard let offset = machine.soakParameters,
      machine.memory.atomicLoadRelaxed(offset, as: UInt64.self) == magic,
      machine.memory.atomicLoadRelaxed(offset + 8, as: UInt64.self) == version
    else { return nil }
    return offset
  }
}
