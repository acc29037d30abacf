import FSRState
import FSRTestSupport
import Synchronization
import Testing

/// What is written to a sink is what is written to an array.
@Suite struct ByteSinkTests {
  /// Bytes in a test's own hands.
  private final class Held: ByteSink {
    private let held: Mutex<[UInt8]>
    let capacity: Int

    init(_ capacity: Int) {
      self.capacity = capacity
      held = Mutex([UInt8](repeating: 0xee, count: capacity))
    }

    var bytes: [UInt8] { held.withLock { $0 } }

    func put(_ value: UInt64, width: Int, at offset: Int) {
      held.withLock { bytes in
        for index in 0..<width { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8)) }
      }
    }

    func put(_ new: [UInt8], at offset: Int) {
      held.withLock { $0.replaceSubrange(offset..<offset + new.count, with: new) }
    }
  }

  private static func write(to writer: inout CheckpointWriter) {
    writer.section("hart", index: 12, version: 1) {
      $0.write(UInt64.max - 1)
      $0.write(Int16(-2))
      $0.write(UInt32(0x0102_0304))
      $0.write(true)
    }
    writer.section("text", version: 3, isNeeded: false) {
      $0.write("of a guest")
      $0.write(raw: [1, 2, 3])
      $0.write(raw: (4..<9).lazy.map { UInt8($0) })
      $0.write(counted: [])
    }
    writer.passOn(StateSection(name: "future", version: 9, isNeeded: false, payload: [9, 9]))
  }

  private static func array() -> [UInt8] {
    var writer = CheckpointWriter(machine: CheckpointTests.machine, attempt: 7, capacity: 4096)
    write(to: &writer)
    #expect(writer.length == writer.bytes.count)
    return writer.bytes
  }

  @Test func theSameBytesComeToASink() throws {
    let expected = Self.array()
    let sink = Held(expected.count + 5)
    var writer = CheckpointWriter(machine: CheckpointTests.machine, attempt: 7, to: sink)
    Self.write(to: &writer)
    #expect(writer.length == expected.count)
    #expect(sink.bytes == expected + [UInt8](repeating: 0xee, count: 5))
  }

  /// Whatever the room is: what has none is left out, and counted.
  @Test func whatThereIsNoRoomForIsCounted() {
    let expected = Self.array()
    for room in 0...expected.count {
      let sink = Held(room)
      var writer = CheckpointWriter(machine: CheckpointTests.machine, attempt: 7, to: sink)
      Self.write(to: &writer)
      #expect(writer.length == expected.count)
      #expect(room < expected.count || sink.bytes == expected)
    }
  }

  @Test func aChecksumIsTheSameWhereverTheBytesLie() {
    var random = SeededGenerator(seed: 3)
    for count in 0..<40 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let sum = Checksum.of(
        count: count, word: { at in (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64($1 * 8) } },
        byte: { bytes[$0] })
      #expect(sum == Checksum.of(bytes))
    }
  }
}
