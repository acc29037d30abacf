import FSRClient
import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

@Suite struct ConsoleReaderTests {
  private static let capacity = Int(ConsoleLayout.capacity)

  /// The byte at a position: neighbours and bytes one ring apart differ.
  private static func byte(_ position: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: position &* 7 &+ position / capacity &* 13)
  }

  private static func write(_ range: Range<Int>, to buffer: ConsoleBuffer) {
    for position in range { buffer.write(byte(position)) }
  }

  @Test func whatIsKeptComesFirstAndThenWhatFollows() throws {
    let buffer = try ConsoleBuffer()
    Self.write(0..<1000, to: buffer)
    let twin = try ConsoleBuffer(adopting: try buffer.descriptor.duplicate())
    var all = ConsoleReader(of: twin, skippingKept: false)
    var new = ConsoleReader(of: twin, skippingKept: true)
    #expect(all.next(limit: 600).bytes == (0..<600).map(Self.byte))
    #expect(all.next(limit: 600).bytes == (600..<1000).map(Self.byte))
    #expect(all.next(limit: 600).bytes.isEmpty && new.next(limit: 600).bytes.isEmpty)
    Self.write(1000..<1010, to: buffer)
    #expect(all.next(limit: 600).bytes == (1000..<1010).map(Self.byte))
    #expect(new.next(limit: 600).bytes == (1000..<1010).map(Self.byte))
  }

  @Test func theLastMebibyteIsKept() throws {
    let buffer = try ConsoleBuffer()
    let end = 2 * Self.capacity + 12345
    Self.write(0..<end, to: buffer)
    var reader = ConsoleReader(of: buffer, skippingKept: false)
    let part = reader.next(limit: 2 * Self.capacity)
    #expect(part.lost == 0 && part.bytes == (end - Self.capacity..<end).map(Self.byte))
  }

  @Test func aReaderThatFallsBehindSkipsAheadAndCounts() throws {
    let buffer = try ConsoleBuffer()
    Self.write(0..<10, to: buffer)
    var reader = ConsoleReader(of: buffer, skippingKept: false)
    _ = reader.next(limit: 100)
    let end = 3 * Self.capacity
    Self.write(10..<end, to: buffer)
    let part = reader.next(limit: 4 * Self.capacity)
    #expect(part.lost + UInt64(part.bytes.count) == UInt64(end - 10) && part.bytes.count > Self.capacity / 4)
    let start = end - part.bytes.count
    #expect(part.bytes == (start..<end).map(Self.byte))
  }

  @Test func aFileThatFallsBehindGetsOnlyWholeBytesAndTheRestIsCounted() throws {
    let buffer = try ConsoleBuffer()
    var end = 2 * Self.capacity + 5
    Self.write(0..<end, to: buffer)
    var position = -1
    while true {
      let bytes = buffer.pending(limit: 4096)
      if bytes.isEmpty { break }
      if position < 0 { position = Int(buffer.droppedCount) }
      #expect(bytes == (position..<position + bytes.count).map(Self.byte))
      position += bytes.count
      buffer.take(bytes.count)
      if position < 2 * Self.capacity {
        Self.write(end..<end + 1, to: buffer)
        end += 1
      }
    }
    #expect(buffer.droppedCount >= UInt64(Self.capacity) && buffer.undrainedCount == 0)
  }

  /// Bytes may be lost, and are counted; none is another one's.
  @Test func aWriterThatOvertakesNeverShowsAWrongByte() throws {
    let buffer = try ConsoleBuffer()
    let twin = try ConsoleBuffer(adopting: try buffer.descriptor.duplicate())
    let goal = 12 * Self.capacity
    Self.write(0..<1, to: buffer)
    let isWritten = OneWayFlag()
    let answers = try race([
      { @Sendable in
        Self.write(1..<goal, to: buffer)
        isWritten.raise()
        return "written"
      },
      { @Sendable in
        var reader = ConsoleReader(of: twin, skippingKept: false)
        var position = 0
        while true {
          let isLast = isWritten.isUp
          let part = reader.next(limit: 1 << 19)
          position += Int(part.lost)
          for byte in part.bytes {
            if byte != Self.byte(position) { return "wrong at \(position)" }
            position += 1
          }
          if isLast, part.bytes.isEmpty { return position == goal ? "read" : "ended at \(position)" }
        }
      },
    ])
    #expect(answers == ["written", "read"])
  }

  /// A wait's time is longer than both together may take: only the bell can end it.
  @Test func aReaderThatWaitsIsWoken() throws {
    let begin = MonotonicClock.now()
    let buffer = try ConsoleBuffer()
    let twin = try ConsoleBuffer(adopting: try buffer.descriptor.duplicate())
    let rounds = 300
    let seen = Owned(Atomic<Int>(0))
    let answers = try race([
      { @Sendable in
        for round in 1...rounds {
          buffer.write(1)
          while seen.value.load(ordering: .acquiring) < round { MonotonicClock.sleep(100_000) }
        }
        return rounds
      },
      { @Sendable in
        var reader = ConsoleReader(of: twin, skippingKept: false)
        while seen.value.load(ordering: .acquiring) < rounds {
          let count = reader.next(limit: 100).bytes.count
          if count == 0 { reader.wait(timeout: 120_000_000_000) { false } }
          seen.value.add(count, ordering: .acquiringAndReleasing)
        }
        return seen.value.load(ordering: .acquiring)
      },
    ])
    #expect(answers == [rounds, rounds])
    #expect(MonotonicClock.now() - begin < 120_000_000_000, "nobody was woken for two minutes")
  }

  @Test func aSpoiltHeaderIsBounded() throws {
    let buffer = try ConsoleBuffer()
    for seed in 0..<500 {
      var random = SeededGenerator(seed: UInt64(seed))
      var reader = ConsoleReader(of: buffer, skippingKept: seed % 2 == 0)
      _ = reader.next(limit: 10)
      for offset in stride(from: UInt64(0), to: 32, by: 8) {
        buffer.region.value.store(UInt64.random(in: .min ... .max, using: &random), at: offset)
      }
      var read = 0
      while true {
        let count = reader.next(limit: 1 << 18).bytes.count
        if count == 0 { break }
        read += count
      }
      #expect(read <= Self.capacity)
      #expect(buffer.pending(limit: 4096).count <= 4096)
    }
  }

  @Test(arguments: [GuestEnd.passed, .failed(code: .max), .reset, .hostRequest(.max)])
  func theGuestsEndIsThereForWhoStillReads(end: GuestEnd) throws {
    let buffer = try ConsoleBuffer()
    #expect(buffer.end == nil)
    buffer.end = end
    #expect(try ConsoleBuffer(adopting: try buffer.descriptor.duplicate()).end == end)
    buffer.region.value.store(UInt32.max, at: ConsoleLayout.end)
    #expect(buffer.end == nil)
    buffer.region.value.store(UInt32(3), at: ConsoleLayout.end)
    #expect(buffer.end == nil)
  }

  @Test func memoryOfAnotherSizeIsRefused() throws {
    #expect(throws: SystemError.self) {
      try ConsoleBuffer(adopting: try Memfd.create(name: "small", size: 4096))
    }
  }
}
