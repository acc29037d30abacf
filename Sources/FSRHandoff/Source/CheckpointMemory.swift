internal import FSRState
internal import FSRSystem

/// The shared memory that a checkpoint is written into while the guest is stunned: the source's own mapping, all of which
/// is there. Others may write the same memory at any moment, so values go in and come out, each by itself.
final class CheckpointMemory: ByteSink {
  private let region: MappedRegion
  let capacity: Int

  /// - Parameter region: no longer than an `Int` says.
  init(_ region: consuming MappedRegion) {
    capacity = Int(region.length)
    self.region = region
  }

  func put(_ value: UInt64, width: Int, at offset: Int) {
    let place = UInt64(offset)
    switch width {
    case 8: region.store(value.littleEndian, at: place)
    case 4: region.store(UInt32(truncatingIfNeeded: value).littleEndian, at: place)
    case 2: region.store(UInt16(truncatingIfNeeded: value).littleEndian, at: place)
    case 1: region.store(UInt8(truncatingIfNeeded: value), at: place)
    default: preconditionFailure("an integer of \(width) bytes")
    }
  }

  func put(_ bytes: [UInt8], at offset: Int) { region.copy(bytes, to: UInt64(offset)) }

  /// Of the first `count` bytes, as they are there now.
  func checksum(of count: Int) -> UInt64 {
    Checksum.of(
      count: count, word: { region.load(UInt64($0), as: UInt64.self).littleEndian },
      byte: { region.load(UInt64($0), as: UInt8.self) })
  }
}
