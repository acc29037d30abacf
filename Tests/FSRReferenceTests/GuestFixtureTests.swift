import FSRHost
import FSRMachine
import FSRMemory
import FSRReference
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What travels of a reference VMM's guest beside its board, as it was written once.
@Suite struct GuestFixtureTests {
  // MARK: static sections

  static let configurations: [Sample<VMConfiguration>] = {
    var full = VMConfiguration(
      name: "größer", memory: 64 << 20, vcpus: 3, guest: "/opt/guest.elf", duty: 30,
      console: "/var/log/größer")
    full.workingSet = 1 << 20
    full.stride = 2
    full.endsOnReset = true
    full.reserve = 8 << 20
    full.nodes = NodeSet(parsing: "0-1,3")
    var paging = PagingConfiguration(resident: 16 << 20, swap: "/var/tmp/größer.swap", compression: 1 << 20)
    paging.faults = "write:3:ENOSPC"
    full.paging = paging
    var huge = VMConfiguration(name: "a", memory: 4 << 20, vcpus: 1, guest: "soak")
    huge.hasHugePages = true
    return [
      Sample(
        "configuration-bare.hex", VMConfiguration(name: "a", memory: 1 << 20, vcpus: 16, guest: "soak")),
      Sample("configuration-full.hex", full), Sample("configuration-huge.hex", huge),
    ]
  }()

  @Test(arguments: configurations)
  func aConfigurationIsWrittenAsEverAndReadForGood(_ one: Sample<VMConfiguration>) throws {
    #expect(try Fixture(one.name).difference(from: one.value.encoded) == nil)
    #expect(try VMConfiguration(decoding: Fixture(one.name).bytes()) == one.value)
  }

  @Test func portsAreWrittenAsEverAndReadForGood() throws {
    let ports = [
      TapPort(
        tap: "tap0", mac: try #require(MACAddress("02:00:00:00:00:01")), queues: 8, mtu: 65521,
        offloads: .all,
        consumer: .echo),
      TapPort(tap: "0123456789abcde", mac: try #require(MACAddress("52:54:00:12:34:56")), mtu: 1500),
    ]
    #expect(try Fixture("ports.hex").difference(from: TapPort.encode(ports)) == nil)
    #expect(try TapPort.decode(Fixture("ports.hex").bytes()) == ports)
  }

  @Test func threadsAreWrittenAsEverAndReadForGood() throws {
    var one = ThreadStanding(cpus: CPUSet([0, 3, 8191]))
    (one.policy, one.flags, one.nice, one.priority) = (3, 1, -7, 2)
    (one.runtime, one.deadline, one.period) = (5, 6, 7)
    let standings = VCPUStandings([1: one, 15: ThreadStanding(cpus: CPUSet([1]))])
    #expect(try Fixture("threads.hex").difference(from: standings.encoded) == nil)
    #expect(try VCPUStandings(decoding: Fixture("threads.hex").bytes(), vcpus: 16) == standings)
  }

  // MARK: sections of a checkpoint

  private static func saved(_ part: some SavesState) -> [UInt8] {
    var writer = ByteWriter()
    part.save(to: &writer)
    return writer.bytes
  }

  private static func restore(_ part: some SavesState, from fixture: String) throws {
    var part = part
    var reader = ByteReader(try Fixture(fixture).bytes())
    try part.restore(from: &reader, version: 1)
  }

  @Test func aClockIsWrittenAsEverAndReadForGood() throws {
    let birth: UInt64 = 1_000_000
    #expect(HostClock.stateVersion == 1)
    #expect(
      try Fixture("section-clock.hex").difference(from: Self.saved(HostClock(birth: birth))) == nil)
    let clock = HostClock()
    try Self.restore(clock, from: "section-clock.hex")
    let now = MonotonicClock.now()
    let ticks = clock.ticks
    #expect(ticks >= (now - birth) / 100 && ticks <= (MonotonicClock.now() - birth) / 100)
  }

  @Test func aLoadIsWrittenAsEverAndReadForGood() throws {
    var writer = ByteWriter()
    writer.write(UInt16(2))
    for word: UInt64 in [5, 1, 7, 2] { writer.write(word) }
    for average in [0.5, 1, 2] { writer.write(average.bitPattern) }
    for word: UInt64 in [9, 12] { writer.write(word) }
    #expect(LoadHistory.stateVersion == 1)
    #expect(try Fixture("section-load.hex").difference(from: writer.bytes) == nil)
    let load = try LoadHistory(vcpus: 2)
    try Self.restore(load, from: "section-load.hex")
    #expect(load.averages == [0.5, 1, 2])
    #expect(load.meters.reading(of: 0) == VCPUMeters.Reading(ran: 5, exits: 1))
    #expect(load.meters.reading(of: 1) == VCPUMeters.Reading(ran: 7, exits: 2))
    #expect(Self.saved(load) == writer.bytes)
  }

  @Test func aPortsCountersAreWrittenAsEverAndReadForGood() throws {
    let counters = PortCounters()
    for bytes in [60, 1514, 64] { counters.received(bytes: bytes) }
    for bytes in [60, 61] { counters.sent(bytes: bytes) }
    counters.drop()
    #expect(PortCounters.stateVersion == 1)
    #expect(try Fixture("section-port.hex").difference(from: Self.saved(counters)) == nil)
    let read = PortCounters()
    try Self.restore(read, from: "section-port.hex")
    let reading = read.reading
    #expect(reading.receivedFrames == 3 && reading.receivedBytes == 1638 && reading.dropped == 1)
    #expect(reading.sentFrames == 2 && reading.sentBytes == 121)
  }

  @Test func countsOfPagesAreWrittenAsEverAndReadForGood() throws {
    var counts = PageCounts()
    (counts.resident, counts.compressed, counts.swapped) = (1 << 33, 2 << 20, 3)
    var writer = ByteWriter()
    counts.save(to: &writer)
    #expect(try Fixture("section-pages.hex").difference(from: writer.bytes) == nil)
    var reader = ByteReader(try Fixture("section-pages.hex").bytes())
    #expect(try PageCounts(from: &reader) == counts)
  }

  // MARK: the console

  @Test func aConsoleIsWrittenAsEver() throws {
    let console = try ConsoleBuffer()
    for byte in Array("hallo\n".utf8) { console.write(byte) }
    #expect(console.pending(limit: 4) == Array("hall".utf8))
    console.take(4)
    let input = ConsoleInput(in: console.region)
    #expect(input.put(Array("xyz".utf8)[...]).count == 3 && input.take() == UInt8(ascii: "x"))
    console.isPaused = true
    console.end = .failed(code: 42)
    let bytes = try console.descriptor.read(at: 0, count: Int(ConsoleLayout.size))
    #expect(try Fixture("console.hex").difference(from: bytes) == nil)
  }

  @Test func aConsoleIsReadForGood() throws {
    let bytes = try Fixture("console.hex").bytes()
    let memory = try Memfd.create(name: "fixture", size: UInt64(bytes.count))
    try memory.write(bytes, at: 0)
    let console = try ConsoleBuffer(adopting: memory)
    #expect(console.writtenCount == 6 && console.bytes(at: 0, count: 6) == Array("hallo\n".utf8))
    #expect(console.undrainedCount == 2 && console.droppedCount == 0)
    #expect(console.isPaused && console.end == .failed(code: 42))
    let input = ConsoleInput(in: console.region)
    #expect(input.putCount == 3 && input.takenCount == 1)
    #expect(input.take() == UInt8(ascii: "y") && input.take() == UInt8(ascii: "z") && input.take() == nil)
  }
}
