/// The guest that `fsr bench cpu` runs: kernels of ordinary compiled code, the same work whoever runs them.
public enum BenchGuest {
  /// The kernels, in the order in which they run.
  public static let kernels = ["sieve", "crc32", "sort", "matrix", "search", "list", "recursion"]
  /// What `work` is in full.
  public static let fullWork = 1000
  public static let workLimit = 100 * fullWork
  /// RAM that is enough for as many harts as a board has.
  public static let memory: UInt64 = 16 << 20

  /// "BNCHPARM", least significant byte first.
  private static let magic: UInt64 = 0x4d52_4150_4843_4e42
  private static let version: UInt64 = 1

  /// The guest's ELF for `harts` harts, each of which does `work` thousandths of the full work.
  ///
  /// The numbers are put into the file, so that any machine that loads it does the same. Traps outside 1 to
  /// `BoardMap.hartLimit` harts and 1 to `workLimit`.
  public static func image(harts: Int, work: Int = fullWork) -> [UInt8] {
    precondition((1...BoardMap.hartLimit).contains(harts), "harts as many as a board has")
    precondition((1...workLimit).contains(work), "work within its limit")
    var bytes = BenchGuestImage.bytes
    let known = littleEndian(magic) + littleEndian(version)
    guard let at = bytes.indices.first(where: { $0 % 8 == 0 && bytes[$0...].starts(with: known) }) else {
      preconditionFailure("the bench guest has its parameters")
    }
    bytes.replaceSubrange(
      (at + 16)..<(at + 32), with: littleEndian(UInt64(harts)) + littleEndian(UInt64(work)))
    return bytes
  }

  private static func littleEndian(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
