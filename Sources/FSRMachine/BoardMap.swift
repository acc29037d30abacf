/// Where things are on the board, a subset of QEMU's `virt`.
public enum BoardMap {
  public static let finisher: UInt64 = 0x0010_0000
  public static let finisherSize: UInt64 = 0x1000
  public static let clint: UInt64 = 0x0200_0000
  public static let clintSize: UInt64 = 0x1_0000
  public static let plic: UInt64 = 0x0c00_0000
  /// Room for the contexts of 512 harts, as on QEMU's board.
  public static let plicSize: UInt64 = 0x60_0000
  public static let uart: UInt64 = 0x1000_0000
  public static let uartSize: UInt64 = 0x100
  /// The PLIC's source for the serial port.
  public static let uartInterrupt = 10
  /// Transport n lies at `virtio + n * virtioSize` and has the PLIC's source n + 1.
  public static let virtio: UInt64 = 0x1000_1000
  public static let virtioSize: UInt64 = 0x1000
  public static let virtioCount = 8
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
