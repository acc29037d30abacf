import FSRHost
import FSRReference
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What travels of a port, as bytes that may be anything.
@Suite struct PortStateTests {
  private static func ports() throws -> [TapPort] {
    let one = try #require(MACAddress("02:00:00:00:00:01"))
    let two = try #require(MACAddress("52:54:00:12:34:56"))
    return [
      TapPort(tap: "tap0", mac: one, queues: 8, mtu: 65521, offloads: .all, consumer: .echo),
      TapPort(tap: "0123456789abcde", mac: two, mtu: 1500),
    ]
  }

  @Test func portsComeBackAsTheyWere() throws {
    let ports = try Self.ports()
    #expect(try TapPort.decode(TapPort.encode(ports)) == ports)
    #expect(try TapPort.decode(TapPort.encode([])) == [])
  }

  @Test func portsThatAreCutShortAreRefused() throws {
    let bytes = TapPort.encode(try Self.ports())
    for count in 0..<bytes.count {
      #expect(throws: StateError.self) { try TapPort.decode(Array(bytes[..<count])) }
    }
    #expect(throws: StateError.self) { try TapPort.decode(bytes + [0]) }
  }

  @Test func changedPortsAreRefusedOrWithinBounds() throws {
    let bytes = TapPort.encode(try Self.ports())
    for index in bytes.indices {
      for value: UInt8 in [0, 1, 0x2f, 0x7f, 0x80, 0xff] {
        var changed = bytes
        changed[index] = value
        guard let ports = try? TapPort.decode(changed) else { continue }
        #expect(TapPort.obstacle(to: ports) == nil)
        for port in ports {
          #expect(TapPort.isName(port.tap) && (1...TapPort.queueLimit).contains(port.queues))
          #expect(port.mtu == 0 || TapPort.mtuRange.contains(port.mtu))
          #expect(port.mac.bytes[0] & 1 == 0 && port.offloads.isSubset(of: .all))
        }
      }
    }
  }

  @Test func aVMHasOnlySoManyPortsAndQueues() throws {
    func ports(_ count: Int, queues: Int) throws -> [TapPort] {
      try (0..<count).map {
        TapPort(tap: "t\($0)", mac: try #require(MACAddress("02:00:00:00:00:0\($0)")), queues: queues)
      }
    }
    #expect(TapPort.obstacle(to: try ports(8, queues: 4)) == nil)
    #expect(TapPort.obstacle(to: try ports(9, queues: 1)) != nil)
    #expect(TapPort.obstacle(to: try ports(5, queues: 8)) != nil)
    let twice = try ports(1, queues: 1)
    #expect(TapPort.obstacle(to: twice + twice) != nil)
    #expect(throws: StateError.self) { try TapPort.decode(TapPort.encode(try ports(9, queues: 1))) }
    #expect(throws: StateError.self) { try TapPort.decode(TapPort.encode(try ports(5, queues: 8))) }
  }

  private static func counters(_ words: [UInt64]) throws -> PortCounters.Reading {
    var writer = ByteWriter()
    for word in words { writer.write(word) }
    let counters = PortCounters()
    var reader = ByteReader(writer.bytes)
    try counters.restore(from: &reader, version: PortCounters.stateVersion)
    return counters.reading
  }

  @Test func countersComeBackAndGoOn() throws {
    let counters = PortCounters()
    counters.received(bytes: 60)
    counters.received(bytes: 1514)
    counters.sent(bytes: 60)
    counters.drop()
    var writer = ByteWriter()
    counters.save(to: &writer)
    let other = PortCounters()
    var reader = ByteReader(writer.bytes)
    try other.restore(from: &reader, version: PortCounters.stateVersion)
    #expect(other.reading == counters.reading && other.reading.receivedBytes == 1574)
    other.received(bytes: 1)
    #expect(other.reading.receivedFrames == 3 && other.reading.sentFrames == 1 && other.reading.dropped == 1)
  }

  @Test func countersOutOfBoundsAreRefused() throws {
    #expect(try Self.counters([9, 9, 9, 9, 9]).dropped == 9)
    #expect(try Self.counters([PortCounters.bound - 1, 0, 0, 0, 0]).receivedFrames == PortCounters.bound - 1)
    for words: [UInt64] in [
      [], [1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 2], [PortCounters.bound, 0, 0, 0, 0],
      [1, .max, 0, 0, 0], [1, 1, .max, 0, 0], [1, 1, 1, .max, 0],
    ] {
      #expect(throws: StateError.self) { try Self.counters(words) }
    }
    var reader = ByteReader([UInt8](repeating: 0, count: 40))
    #expect(throws: StateError.self) { try PortCounters().restore(from: &reader, version: 2) }
  }

  @Test func onlyFramesToTheStationAreReflected() throws {
    let mac = try #require(MACAddress("02:00:00:00:00:01"))
    let header = [UInt8](repeating: 7, count: 12)
    func frame(_ to: [UInt8], _ from: [UInt8]) -> [UInt8] { header + to + from + [8, 0, 1, 2, 3] }
    let other: [UInt8] = [2, 0, 0, 0, 0, 9]
    var bytes = frame(mac.bytes, other)
    #expect(FrameReflector.reflect(&bytes, count: bytes.count, for: mac))
    #expect(bytes == frame(other, mac.bytes))
    for to: [UInt8] in [other, [255, 255, 255, 255, 255, 255], [1, 0, 0x5e, 0, 0, 1]] {
      var bytes = frame(to, other)
      #expect(!FrameReflector.reflect(&bytes, count: bytes.count, for: mac))
      #expect(bytes == frame(to, other))
    }
    var short = frame(mac.bytes, other)
    for count in 0..<26 { #expect(!FrameReflector.reflect(&short, count: count, for: mac)) }
    #expect(!FrameReflector.reflect(&short, count: short.count + 1, for: mac))
  }
}
