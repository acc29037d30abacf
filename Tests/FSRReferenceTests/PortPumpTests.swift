import FSRHost
import FSRReference
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// The thread that takes a port's frames: when it does, and when it leaves them to the next owner.
@Suite(.serialized) struct PortPumpTests {
  /// Far longer than anything takes, in nanoseconds.
  private static let timeout: UInt64 = 60_000_000_000

  /// A pump of a tap that stays, and who sends to it.
  private struct Rig {
    let queue: Owned<TapQueue>
    let counters = PortCounters()
    let pump: PortPump
    let socket: Owned<OwnedDescriptor>

    init() throws {
      try TestNetwork.makeTap("tap0")
      let attached = try TapQueue.attach("tap0", isMultiQueue: false)
      try attached.setHeaderSize()
      queue = Owned(attached)
      guard let mac = MACAddress("02:00:00:00:00:01") else { throw Absent() }
      pump = try PortPump(TapPort(tap: "tap0", mac: mac), index: 0, queues: [queue], counters: counters)
      socket = Owned(try TestNetwork.packets(on: "tap0"))
    }

    /// Sends a frame to the station with that last byte.
    func send(to last: UInt8) throws {
      try socket.value.write(
        [2, 0, 0, 0, 0, last, 2, 0, 0, 0, 0, 99, 0x88, 0xb5] + [UInt8](repeating: 0, count: 46))
    }

    /// Whether `count` frames have come, within `limit` nanoseconds.
    func hasTaken(_ count: UInt64, within limit: UInt64 = timeout) -> Bool {
      let deadline = MonotonicClock.now() + limit
      while counters.reading.receivedFrames < count {
        if MonotonicClock.now() >= deadline { return false }
        MonotonicClock.sleep(200_000)
      }
      return true
    }
  }

  private static func check(_ body: @escaping @Sendable (Rig) throws -> [String]) async {
    let result = await TestNetwork.run { () -> [String] in
      let rig = try Rig()
      defer { rig.pump.stop() }
      return try body(rig)
    }
    switch result {
    case nil: break
    case .success(let findings): for finding in findings { Issue.record("\(finding)") }
    case .failure(let error): Issue.record("\(error)")
    }
  }

  /// The guest may be on its way to the next VMM before the pump of this one was launched.
  @Test func oneThatRestsBeforeItIsLaunchedStaysAtRest() async {
    await Self.check { rig in
      try rig.pump.park()
      rig.pump.rest()
      rig.pump.launch()
      try rig.send(to: 1)
      // Only a mistake shows in this time.
      var findings = rig.hasTaken(1, within: 100_000_000) ? ["a frame is taken that is the next owner's"] : []
      try rig.pump.start()
      if !rig.hasTaken(1) { findings.append("the frame is not taken by who goes on") }
      return findings
    }
  }

  /// As where the interface is down, or the host has no room.
  @Test func aFrameThatCannotBeAnsweredCountsAsDropped() throws {
    let pipe = try PipeEnds()
    try pipe.reading.makeNonBlocking()
    let mac = try #require(MACAddress("02:00:00:00:00:01"))
    let counters = PortCounters()
    // What comes out there cannot be put in there.
    let queue = Owned(TapQueue(adopting: try pipe.reading.duplicate()))
    let pump = try PortPump(
      TapPort(tap: "none", mac: mac, consumer: .echo), index: 0, queues: [queue], counters: counters)
    try pump.start()
    let frame = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 99, 0x88, 0xb5] + [UInt8](repeating: 0, count: 46)
    try pipe.writing.write([UInt8](repeating: 0, count: TapQueue.headerSize) + frame)
    let deadline = MonotonicClock.now() + Self.timeout
    while counters.reading.receivedFrames == 0, MonotonicClock.now() < deadline {
      MonotonicClock.sleep(200_000)
    }
    pump.stop()
    let reading = counters.reading
    #expect(reading.receivedFrames == 1 && reading.receivedBytes == 60 && reading.sentFrames == 0)
    #expect(reading.dropped == 1)
  }

  /// A source may give any descriptors for a port's.
  @Test func theQueuesOfAPortAreOfOneTap() async {
    let result = await TestNetwork.run { () -> [Bool] in
      guard let mac = MACAddress("02:00:00:00:00:01") else { throw Absent() }
      let section = StateSection(
        name: TapPort.section, version: TapPort.sectionVersion,
        payload: TapPort.encode([TapPort(tap: "one", mac: mac, queues: 2)]))
      return try [["one", "one"], ["one", "two"]].map { taps in
        var queues: [Owned<TapQueue>] = []
        for tap in taps {
          let queue = try TapQueue.attach(tap, isMultiQueue: true)
          try queue.setHeaderSize()
          queues.append(Owned(queue))
        }
        var taken = 0
        do {
          _ = try GuestPorts(adopting: section) { _ in
            defer { taken += 1 }
            return try queues[taken].value.descriptor.duplicate()
          }
          return true
        } catch is SystemError { return false }
      }
    }
    switch result {
    case nil: break
    case .success(let areTaken): #expect(areTaken == [true, false])
    case .failure(let error): Issue.record("\(error)")
    }
  }

  /// The filter is the tap's, and another VMM may have taken it off meanwhile.
  @Test func whoGoesOnSetsTheTapAnew() async {
    await Self.check { rig in
      try rig.pump.park()
      rig.pump.launch()
      try rig.send(to: 1)
      guard rig.hasTaken(1) else { return ["no frame is taken"] }
      rig.pump.rest()
      try rig.queue.value.acceptAll()
      try rig.pump.start()
      // With it the tap is seen to be set.
      try rig.send(to: 1)
      guard rig.hasTaken(2) else { return ["no frame is taken after a rest"] }
      // Those to another station first: they would be counted by the time that the last one is.
      for last in [7, 7, 1] as [UInt8] { try rig.send(to: last) }
      guard rig.hasTaken(3) else { return ["the last frame is not taken"] }
      let count = rig.counters.reading.receivedFrames
      return count == 3 ? [] : ["\(count) frames are taken, and 3 are the station's"]
    }
  }
}
