package import FSRSystem

/// What is typed for the guest: a ring in the console's memfd, into which clients put, and out of which the serial
/// port of the VMM that owns the guest takes.
package final class ConsoleInput: Sendable {
  private let ring: InputRing<MappedInput>
  private let bell: Doorbell
  private let roomBell: Doorbell

  package init(in region: Owned<MappedRegion>) {
    ring = InputRing(MappedInput(region: region), count: ConsoleLayout.inputSlots)
    bell = Doorbell(region: region, offset: ConsoleLayout.inputBell)
    roomBell = Doorbell(region: region, offset: ConsoleLayout.roomBell)
  }

  // MARK: the consumer

  package func take() -> UInt8? {
    guard let byte = ring.take() else { return nil }
    // Not for every byte, so that a client that waits is not woken for each.
    if ring.tail &- ring.head <= ConsoleLayout.inputSlots / 2 { roomBell.ring() }
    return byte
  }

  /// Bytes ever put.
  package var putCount: UInt64 { ring.tail }
  /// Bytes ever taken.
  package var takenCount: UInt64 { ring.head }

  /// Sleeps until more than `count` bytes were ever put, `timeout` nanoseconds at most, or for less.
  package func waitForInput(beyond count: UInt64, timeout: UInt64, unless isOver: () -> Bool) {
    bell.sleep(timeout: timeout) { putCount != count || isOver() }
  }

  package func wakeConsumer() { bell.ring() }

  // MARK: producers

  /// Puts in what there is room for; answers how many bytes that were, and the position behind the last of them.
  package func put(_ bytes: ArraySlice<UInt8>) -> (count: Int, end: UInt64?) {
    var count = 0
    var end: UInt64?
    for byte in bytes {
      guard let position = ring.put(byte) else { break }
      count += 1
      end = position &+ 1
    }
    if count > 0 { bell.ring() }
    return (count, end)
  }

  /// How many of the bytes before `end` were not taken yet.
  package func untakenCount(before end: UInt64) -> Int {
    let count = end &- takenCount
    return count <= ConsoleLayout.inputSlots ? Int(count) : 0
  }

  /// Sleeps until more than `taken` bytes were ever taken, `timeout` nanoseconds at most, or for less. The caller has read
  /// `taken` before it found no room: what is taken meanwhile then ends the sleep too.
  package func waitForRoom(beyond taken: UInt64, timeout: UInt64) {
    roomBell.sleep(timeout: timeout) { takenCount != taken }
  }
}
