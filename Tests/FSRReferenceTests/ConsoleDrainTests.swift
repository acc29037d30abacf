import FSRHost
import FSRReference
import FSRSystem
import FSRTestSupport
import Testing

/// The last words of a guest that has ended.
@Suite struct ConsoleDrainTests {
  /// Nanoseconds: longer than anybody waits.
  private static let timeout: UInt64 = 3600_000_000_000

  private static func buffer(_ count: Int) throws -> ConsoleBuffer {
    let buffer = try ConsoleBuffer()
    for index in 0..<count { buffer.write(UInt8(index % 251)) }
    return buffer
  }

  @Test func withoutAFileNobodyIsWaitedForAndNothingIsDropped() throws {
    let buffer = try Self.buffer(1000)
    var isAsked = false
    ConsoleDrain(buffer: buffer, file: nil).finish(timeout: Self.timeout) {
      isAsked = true
      return false
    }
    #expect(!isAsked && buffer.droppedCount == 0)
    #expect(buffer.bytes(at: 0, count: 1000).count == 1000)
  }

  @Test func allOfItIsWrittenWhereItCanBe() throws {
    let place = try TemporaryDirectory()
    let buffer = try Self.buffer(100_000)
    let file = try place.directory.openFile("console", .append)
    ConsoleDrain(buffer: buffer, file: Owned(file)).finish(timeout: Self.timeout)
    #expect(buffer.droppedCount == 0 && buffer.undrainedCount == 0)
    let written = try place.directory.openFile("console", .read).readAll(limit: 1 << 20)
    #expect(written == (0..<100_000).map { UInt8($0 % 251) })
  }

  @Test func whoDoesNotWantToWaitHasTheRestCounted() throws {
    let pipe = try PipeEnds()
    // More than a pipe takes.
    let buffer = try Self.buffer(200_000)
    var looks = 0
    ConsoleDrain(buffer: buffer, file: Owned(try pipe.writing.duplicate())).finish(timeout: Self.timeout) {
      looks += 1
      return looks < 1000
    }
    #expect(buffer.undrainedCount == 0 && buffer.droppedCount > 0 && buffer.droppedCount < 200_000)
  }

  /// For as long as it takes something it is waited for, however long all of it lasts.
  @Test func aReaderThatTakesSlowlyGetsAllOfIt() throws {
    let pipe = try PipeEnds()
    try pipe.reading.makeNonBlocking()
    let buffer = try Self.buffer(200_000)
    var taken = 0
    let begin = MonotonicClock.now()
    let timeout: UInt64 = 1_000_000_000
    // The reader looks whenever it is asked, and takes as little as lets the writer go on.
    ConsoleDrain(buffer: buffer, file: Owned(try pipe.writing.duplicate())).finish(timeout: timeout) {
      _ = try? Poller().wait(timeout: timeout / 50)
      taken += (try? pipe.reading.read(limit: 4096))?.count ?? 0
      return true
    }
    while let more = try? pipe.reading.read(limit: 1 << 16), !more.isEmpty { taken += more.count }
    #expect(MonotonicClock.now() - begin > timeout, "it was over before it could be given up")
    #expect(taken == 200_000 && buffer.droppedCount == 0)
  }

  /// What has been written over before it went to the file.
  @Test func whatADrainHasMissedIsCounted() throws {
    let count = Int(ConsoleLayout.capacity) * 2 + 1000
    let buffer = try Self.buffer(count)
    let rest = buffer.pending(limit: count)
    #expect(buffer.droppedCount == UInt64(count) - buffer.undrainedCount)
    #expect(Int(buffer.undrainedCount) == rest.count && rest.last == UInt8((count - 1) % 251))
  }

  @Test func aReaderThatTakesNothingIsWaitedForOnlyForAWhile() throws {
    let pipe = try PipeEnds()
    let buffer = try Self.buffer(200_000)
    ConsoleDrain(buffer: buffer, file: Owned(try pipe.writing.duplicate())).finish(timeout: 1)
    #expect(buffer.undrainedCount == 0 && buffer.droppedCount > 0)
  }
}
