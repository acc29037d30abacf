import FSRHost
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// The ring in real shared memory, with real threads at both ends.
@Suite struct ConsoleInputTests {
  /// A second mapping of the same memory, as another process has it.
  private static func mapped(_ buffer: ConsoleBuffer) throws -> ConsoleInput {
    ConsoleInput(in: try ConsoleBuffer(adopting: try buffer.descriptor.duplicate()).region)
  }

  @Test func theRingHoldsWhatItSaysAndThenTheClientWaits() throws {
    let buffer = try ConsoleBuffer()
    let (client, guest) = (try Self.mapped(buffer), ConsoleInput(in: buffer.region))
    let bytes = (0..<600).map { UInt8(truncatingIfNeeded: $0) }
    let first = client.put(bytes[...])
    #expect(first.count == 512 && first.end == 512)
    #expect(client.put(bytes[512...]).count == 0 && client.untakenCount(before: 512) == 512)
    for index in 0..<512 { #expect(guest.take() == bytes[index]) }
    #expect(guest.take() == nil && client.untakenCount(before: 512) == 0)
    #expect(client.put(bytes[512...]).count == 88)
  }

  @Test func producersOfSeveralMappingsLoseAndDoubleNothing() throws {
    let buffer = try ConsoleBuffer()
    let guest = ConsoleInput(in: buffer.region)
    let goal = 60_000
    let clients = try (0..<3).map { _ in try Self.mapped(buffer) }
    var bodies: [@Sendable () -> [[UInt8]]] = clients.enumerated().map { index, client in
      {
        var sent = 0
        while sent < goal {
          // The two low bits say who, the others count.
          let end = min(goal, sent + 37)
          let bytes = (sent..<end).map { UInt8(truncatingIfNeeded: $0 << 2 | index) }
          let taken = client.takenCount
          sent += client.put(bytes[...]).count
          if sent < goal { client.waitForRoom(beyond: taken, timeout: 1_000_000) }
        }
        return []
      }
    }
    bodies.append {
      var taken: [[UInt8]] = [[], [], []]
      while taken.contains(where: { $0.count < goal }) {
        let seen = guest.putCount
        while let byte = guest.take() { if byte & 3 < 3 { taken[Int(byte & 3)].append(byte) } }
        guest.waitForInput(beyond: seen, timeout: 1_000_000) { false }
      }
      return taken
    }
    let taken = try #require(try race(bodies).last)
    for (index, bytes) in taken.enumerated() {
      let expected = (0..<goal).map { UInt8(truncatingIfNeeded: $0 << 2 | index) }
      #expect(bytes == expected, "what client \(index) typed came otherwise")
    }
    #expect(guest.take() == nil)
  }

  /// A wait's time is longer than both together may take: only the bell can end it.
  @Test func whoWaitsIsWokenByTheOtherSide() throws {
    let buffer = try ConsoleBuffer()
    let (client, guest) = (try Self.mapped(buffer), ConsoleInput(in: buffer.region))
    let timeout: UInt64 = 120_000_000_000
    let rounds = 300
    let begin = MonotonicClock.now()
    let answers = try race([
      { @Sendable in
        for number in 0..<rounds {
          _ = client.put([UInt8(truncatingIfNeeded: number)][...])
          var taken = client.takenCount
          while client.untakenCount(before: UInt64(number + 1)) > 0 {
            client.waitForRoom(beyond: taken, timeout: timeout)
            taken = client.takenCount
          }
        }
        return rounds
      },
      { @Sendable in
        var taken = 0
        while taken < rounds {
          let seen = guest.putCount
          while guest.take() != nil { taken += 1 }
          if taken < rounds { guest.waitForInput(beyond: seen, timeout: timeout) { false } }
        }
        return taken
      },
    ])
    #expect(answers == [rounds, rounds])
    #expect(MonotonicClock.now() - begin < timeout, "nobody was woken for two minutes")
  }

  /// What the other side did between the look and the sleep is news too.
  @Test func whatCameBeforeTheSleepEndsIt() throws {
    let buffer = try ConsoleBuffer()
    let (client, guest) = (try Self.mapped(buffer), ConsoleInput(in: buffer.region))
    let (taken, put) = (client.takenCount, guest.putCount)
    _ = client.put([1])
    _ = guest.take()
    let begin = MonotonicClock.now()
    let timeout: UInt64 = 120_000_000_000
    client.waitForRoom(beyond: taken, timeout: timeout)
    guest.waitForInput(beyond: put, timeout: timeout) { false }
    #expect(MonotonicClock.now() - begin < timeout)
  }

  @Test func aSpoiltHeaderHarmsNobody() throws {
    let buffer = try ConsoleBuffer()
    let (client, guest) = (try Self.mapped(buffer), ConsoleInput(in: buffer.region))
    for seed in 0..<300 {
      var random = SeededGenerator(seed: UInt64(seed))
      for offset in stride(from: UInt64(24), to: 4096, by: 4)
      where Int.random(in: 0..<4, using: &random) == 0 {
        buffer.region.value.store(UInt32.random(in: .min ... .max, using: &random), at: offset)
      }
      // It comes round within two laps.
      for _ in 0..<1024 {
        _ = client.put([4])
        while guest.take() != nil {}
      }
      #expect(client.put([5, 6, 7]).count == 3, "seed \(seed)")
      #expect([guest.take(), guest.take(), guest.take(), guest.take()] == [5, 6, 7, nil], "seed \(seed)")
    }
  }
}
