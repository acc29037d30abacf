import FSRReference
import FSRState
import FSRSystem
import Testing

@Suite struct LoadHistoryTests {
  private static func bytes(
    vcpus: UInt16 = 2, ran: [UInt64] = [5, 7], exits: [UInt64] = [1, 2], averages: [Double] = [0.5, 1, 2],
    time: UInt64 = 9, sum: UInt64 = 12
  ) -> [UInt8] {
    var writer = ByteWriter()
    writer.write(vcpus)
    for index in ran.indices {
      writer.write(ran[index])
      writer.write(exits[index])
    }
    for average in averages { writer.write(average.bitPattern) }
    writer.write(time)
    writer.write(sum)
    return writer.bytes
  }

  private static func restored(_ bytes: [UInt8], version: UInt16 = 1) throws -> LoadHistory {
    let history = try LoadHistory(vcpus: 2)
    var reader = ByteReader(bytes)
    try history.restore(from: &reader, version: version)
    return history
  }

  @Test func itComesBackAsItWas() throws {
    let history = try Self.restored(Self.bytes())
    var writer = ByteWriter()
    history.save(to: &writer)
    #expect(writer.bytes == Self.bytes())
    #expect(history.averages == [0.5, 1, 2])
    #expect(history.meters.reading(of: 1) == VCPUMeters.Reading(ran: 7, exits: 2))
  }

  @Test func whatIsOutOfBoundsIsRefused() throws {
    let deadline = MonotonicClock.now() + 1_000_000_000_000
    for bytes in [
      Self.bytes(vcpus: 3), Self.bytes(ran: [5, deadline]), Self.bytes(ran: [.max, .max]),
      Self.bytes(exits: [1, VCPUMeters.exitBound]), Self.bytes(averages: [0.5, 1, 2.1]),
      Self.bytes(averages: [-0.1, 1, 2]), Self.bytes(averages: [.nan, 1, 2]),
      Self.bytes(averages: [0, .infinity, 2]), Self.bytes(time: deadline), Self.bytes(sum: 13),
      Self.bytes() + [0],
    ] {
      #expect(throws: StateError.self) { try Self.restored(bytes) }
    }
    for count in Self.bytes().indices {
      #expect(throws: StateError.self) { try Self.restored(Array(Self.bytes()[..<count])) }
    }
    #expect(throws: StateError.self) { try Self.restored(Self.bytes(), version: 2) }
  }

  @Test func aRefusedHistoryChangesNothing() throws {
    let history = try Self.restored(Self.bytes())
    var reader = ByteReader(Self.bytes(ran: [6, 8], sum: .max))
    #expect(throws: StateError.self) { try history.restore(from: &reader, version: 1) }
    #expect(history.meters.total == 12)
  }

  @Test func aStayInTheGuestCountsWhileItLasts() throws {
    let meters = try VCPUMeters(vcpus: 2)
    #expect(meters.reading(of: 1) == VCPUMeters.Reading(ran: 0, exits: 0))
    meters.enter(1)
    let start = MonotonicClock.now()
    while MonotonicClock.now() < start + 1_000_000 {}
    let inside = meters.reading(of: 1)
    #expect(inside.ran >= 1_000_000 && inside.exits == 0)
    meters.leave(1)
    let after = meters.reading(of: 1)
    #expect(after.ran >= inside.ran && after.exits == 1)
    #expect(meters.reading(of: 1) == after && meters.reading(of: 0).ran == 0)
  }

  @Test func aReaderNeverSeesTimeGoBack() async throws {
    let meters = try VCPUMeters(vcpus: 1)
    let isOver = OneWayFlag()
    let thread = try OSThread.start(name: "vcpu") {
      while !isOver.isUp {
        meters.enter(0)
        meters.leave(0)
      }
    }
    var last = VCPUMeters.Reading(ran: 0, exits: 0)
    var backwards = 0
    for _ in 0..<200_000 {
      let next = meters.reading(of: 0)
      if next.ran < last.ran || next.exits < last.exits { backwards += 1 }
      last = next
    }
    isOver.raise()
    thread.join()
    #expect(backwards == 0)
  }

  @Test func anAverageComesToWhatRunsAndFades() {
    var average = LoadAverage()
    for _ in 0..<12 { average.add(running: 2, nanoseconds: 5e9) }
    // After its own span an average has come to 1 - 1/e of what runs.
    #expect(abs(average.values[0] - 2 * (1 - 0.367_879_441)) < 1e-6)
    #expect(average.values[0] > average.values[1] && average.values[1] > average.values[2])
    // In one look or in many: what counts is the time.
    var once = LoadAverage()
    once.add(running: 2, nanoseconds: 60e9)
    for index in 0..<3 { #expect(abs(once.values[index] - average.values[index]) < 1e-9) }
    average.add(running: 0, nanoseconds: 3600e9)
    #expect(average.values[0] < 1e-9 && average.values[2] > 0)
    let before = average
    average.add(running: 1, nanoseconds: 0)
    #expect(average == before)
  }

  /// The stretch between the last look there and the first one here is one like any other.
  @Test func theStretchOfASwitchCounts() throws {
    let history = try LoadHistory(vcpus: 1)
    let start = MonotonicClock.now() - 10_000_000_000
    history.look(at: start)
    history.meters.enter(0)
    while MonotonicClock.now() < start + 10_002_000_000 {}
    history.meters.leave(0)
    var writer = ByteWriter()
    history.save(to: &writer)
    let next = try LoadHistory(vcpus: 1)
    var reader = ByteReader(writer.bytes)
    try next.restore(from: &reader, version: LoadHistory.stateVersion)
    next.look(at: start + 12_000_000_000)
    #expect(next.averages[0] > 0 && next.averages[0] < 1)
  }

  @Test func aLookComesOnlyAfterItsInterval() throws {
    let history = try LoadHistory(vcpus: 1)
    let start = MonotonicClock.now()
    history.look(at: start)
    history.meters.enter(0)
    while MonotonicClock.now() < start + 2_000_000 {}
    history.meters.leave(0)
    history.look(at: start + 4_000_000_000)
    #expect(history.averages == [0, 0, 0])
    history.look(at: start + 5_000_000_000)
    #expect(history.averages[0] > 0 && history.averages[0] < 1)
  }
}
