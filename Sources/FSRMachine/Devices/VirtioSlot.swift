/// A virtio-mmio transport that no device is plugged into, as QEMU's board shows it: a guest that looks reads
/// device 0 and goes on to the next (Virtual I/O Device specification 1.2, 4.2.2).
final class VirtioSlot: BusDevice {
  /// "virt", little-endian.
  private static let magic: UInt64 = 0x7472_6976
  /// The layout before version 1.0, which is QEMU's default.
  private static let version: UInt64 = 1
  /// "QEMU": what drivers written for the board expect.
  private static let vendor: UInt64 = 0x554d_4551

  func load(_ offset: UInt64, width: Int) -> UInt64? {
    let low = Self.register(offset)
    return width == 8 ? low | Self.register(offset + 4) << 32 : low & (1 << (width * 8) - 1)
  }

  private static func register(_ offset: UInt64) -> UInt64 {
    switch offset {
    case 0x000: magic
    case 0x004: version
    case 0x00c: vendor
    default: 0
    }
  }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome { .done }
}
