package import FSRState
internal import Synchronization

/// What has gone through a port since the VM's birth, handoffs included. One thread counts, any may look.
package final class PortCounters: SavesState, Sendable {
  /// As the guest sees it: received is what came out of the tap, sent what went in.
  package struct Reading: Equatable, Sendable {
    package var receivedFrames: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    package var sentFrames: UInt64 = 0
    package var sentBytes: UInt64 = 0
    /// Received, and used by nobody.
    package var dropped: UInt64 = 0
  }

  /// More than any link carries in a host's life.
  package static let bound: UInt64 = 1 << 62

  private let receivedFrames = Atomic<UInt64>(0)
  private let receivedBytes = Atomic<UInt64>(0)
  private let sentFrames = Atomic<UInt64>(0)
  private let sentBytes = Atomic<UInt64>(0)
  private let dropped = Atomic<UInt64>(0)

  package init() {}

  package var reading: Reading {
    Reading(
      receivedFrames: receivedFrames.load(ordering: .relaxed),
      receivedBytes: receivedBytes.load(ordering: .relaxed), sentFrames: sentFrames.load(ordering: .relaxed),
      sentBytes: sentBytes.load(ordering: .relaxed), dropped: dropped.load(ordering: .relaxed))
  }

  package func received(bytes: Int) {
    receivedFrames.add(1, ordering: .relaxed)
    receivedBytes.add(UInt64(bytes), ordering: .relaxed)
  }

  package func sent(bytes: Int) {
    sentFrames.add(1, ordering: .relaxed)
    sentBytes.add(UInt64(bytes), ordering: .relaxed)
  }

  package func drop() { dropped.add(1, ordering: .relaxed) }

  package static var stateVersion: UInt16 { 1 }

  package func save(to writer: inout ByteWriter) {
    writer.write(receivedFrames.load(ordering: .relaxed))
    writer.write(receivedBytes.load(ordering: .relaxed))
    writer.write(sentFrames.load(ordering: .relaxed))
    writer.write(sentBytes.load(ordering: .relaxed))
    writer.write(dropped.load(ordering: .relaxed))
  }

  package func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion("port", has: version, reads: Self.stateVersion)
    }
    let new = Reading(
      receivedFrames: try Self.count(&reader), receivedBytes: try Self.count(&reader),
      sentFrames: try Self.count(&reader), sentBytes: try Self.count(&reader),
      dropped: try Self.count(&reader))
    try reader.finish()
    // Nobody answers or drops what did not come.
    guard new.dropped <= new.receivedFrames else { throw .invalid("frames dropped", new.dropped) }
    receivedFrames.store(new.receivedFrames, ordering: .relaxed)
    receivedBytes.store(new.receivedBytes, ordering: .relaxed)
    sentFrames.store(new.sentFrames, ordering: .relaxed)
    sentBytes.store(new.sentBytes, ordering: .relaxed)
    dropped.store(new.dropped, ordering: .relaxed)
  }

  private static func count(_ reader: inout ByteReader) throws(StateError) -> UInt64 {
    let value = try reader.read(UInt64.self)
    guard value < bound else { throw .invalid("count of a port", value) }
    return value
  }
}
