/// Where things are on the board, a subset of QEMU's `virt`.
public enum BoardMap {
  public static let finisher: UInt64 = 0x0010_0000
  public static let finisherSize: UInt64 = 0x1000
  public static let clint: UInt64 = 0x0200_0000
  public static let clintSize: UInt64 = 0x1_0000
  public static let uart: UInt64 = 0x1000_0000
  public static let uartSize: UInt64 = 0x100
  public static let ram: UInt64 = 0x8000_0000
  /// Ticks of the guest clock in a second.
  public static let timebase: UInt64 = 10_000_000
  public static let hartLimit = 16
  public static let smallestRAM: UInt64 = 1 << 20
  /// RAM and its addresses stay below this; a whole number of pages.
  public static let largestRAM: UInt64 = 1 << 46
  /// The device tree takes the last bytes of RAM.
  public static let deviceTreeSize: UInt64 = 0x4000
}
