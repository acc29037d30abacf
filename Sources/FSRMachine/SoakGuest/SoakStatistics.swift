import FSRMemory

/// What the soak guest says about itself, read from its memory while it runs. Guest bytes: only the magic, the
/// version and the hart count are checked, and the numbers are whatever the guest wrote.
public struct SoakStatistics: Equatable, Sendable {
  /// One hart's line.
  public struct Hart: Equatable, Sendable {
    /// Rises while the hart works.
    public let ticks: UInt64
    /// Walks over its share of the working set.
    public let passes: UInt64
    /// Pages that were not as it had left them, and shared counters that went wrong.
    public let errors: UInt64
    /// The largest gap between two looks at the clock, in units of 100 ns.
    public let maxGapTicks: UInt64
    /// The window (`SoakParameters.openWindow`) that the hart has seen last.
    public let window: UInt64
    /// The largest gap in that window, in units of 100 ns.
    public let windowGapTicks: UInt64
  }

  /// "FSRSTATS", least significant byte first.
  static let magic: UInt64 = 0x5354_4154_5352_5346
  static let version: UInt64 = 1
  /// Bytes in guest memory: a line of 64 bytes for the page, and one for each possible hart.
  static let size: UInt64 = 64 * UInt64(1 + BoardMap.hartLimit)

  public let harts: [Hart]

  /// Nil where the guest has no statistics, or has not written them yet.
  public init?(of machine: Machine) {
    guard let offset = machine.soakStatistics else { return nil }
    self.init(machine.memory, at: offset)
  }

  init?(_ memory: GuestMemory, at offset: UInt64) {
    guard offset % 8 == 0, memory.contains(offset, count: Self.size),
      memory.atomicLoadRelaxed(offset, as: UInt64.self) == Self.magic,
      memory.atomicLoadRelaxed(offset + 8, as: UInt64.self) == Self.version
    else { return nil }
    let count = memory.atomicLoadRelaxed(offset + 16, as: UInt64.self)
    guard count >= 1, count <= UInt64(BoardMap.hartLimit) else { return nil }
    harts = (1...count).map { index in
      func field(_ number: UInt64) -> UInt64 { memory.atomicLoadRelaxed(offset + index * 64 + number * 8) }
      return Hart(
        ticks: field(0), passes: field(1), errors: field(2), maxGapTicks: field(3), window: field(4),
        windowGapTicks: field(5))
    }
  }
}
