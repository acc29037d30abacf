import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct TapQueueTests {
  /// What did not hold, by its line: the thread in the other namespace is none of the test's own.
  private struct Findings: Sendable {
    var lines: [Int] = []

    mutating func expect(_ holds: Bool, line: Int = #line) { if !holds { lines.append(line) } }
  }

  private static func check(_ body: @escaping @Sendable (inout Findings) throws -> Void) async throws {
    let found = try await TestNetwork.run {
      var findings = Findings()
      try body(&findings)
      return findings.lines
    }?.get()
    for line in found ?? [] { Issue.record("line \(line)") }
  }

  /// A frame with its header, as a tap gives and takes it.
  private static func frame(to: [UInt8], from: [UInt8], _ last: UInt8 = 0) -> [UInt8] {
    [UInt8](repeating: 0, count: TapQueue.headerSize) + to + from + [0x88, 0xb5]
      + [UInt8](repeating: last, count: 46)
  }

  private static let station: [UInt8] = [2, 0, 0, 0, 0, 1]
  private static let other: [UInt8] = [2, 0, 0, 0, 0, 9]

  @Test func aTapSaysWhatItIs() async throws {
    try await Self.check { findings in
      let queue = try TapQueue.attach("t0", isMultiQueue: false)
      let identity = try queue.identity()
      findings.expect(identity.name == "t0" && identity.hasHeader)
      findings.expect(!identity.isMultiQueue && !identity.isPersistent)
      try queue.setHeaderSize()
      let size = try queue.headerSize()
      findings.expect(size == TapQueue.headerSize)
      try queue.setOffloads(.all)
      try queue.setOffloads([])
      try NetworkInterface.setMTU(9000, of: "t0")
      try findings.expect(NetworkInterface.mtu(of: "t0") == 9000)
      try findings.expect(TapQueue.count(of: "t0") == 0)
      // A copy of the descriptor is the same queue, in whatever process.
      let copy = TapQueue(adopting: try queue.descriptor.duplicate())
      let again = try copy.identity()
      findings.expect(again == identity)
    }
  }

  @Test func severalQueuesAreOneTap() async throws {
    try await Self.check { findings in
      let one = try TapQueue.attach("t1", isMultiQueue: true)
      let two = try TapQueue.attach("t1", isMultiQueue: true)
      let (first, second) = (try one.identity(), try two.identity())
      findings.expect(first == second && first.isMultiQueue)
      try findings.expect(TapQueue.count(of: "t1") == 2)
    }
  }

  @Test func whatCannotBeAttachedSaysWhy() async throws {
    try await Self.check { findings in
      let held = try TapQueue.attach("t2", isMultiQueue: false)
      defer { _ = held.descriptor.number }
      func failure(_ name: String, _ isMultiQueue: Bool) -> SystemError? {
        do throws(SystemError) { _ = try TapQueue.attach(name, isMultiQueue: isMultiQueue) } catch {
          return error
        }
        return nil
      }
      findings.expect(failure("t2", false)?.isBusy == true)
      findings.expect(failure("t2", true)?.isInvalid == true)
      findings.expect(failure("lo", false)?.isInvalid == true)
      for name in ["", "a/b", "..", "0123456789abcdef", "a\u{0}b"] {
        findings.expect(failure(name, false) != nil)
      }
      let plain = TapQueue(adopting: try OwnedDescriptor.open("/dev/null", .readWrite))
      findings.expect((try? plain.identity()) == nil)
      findings.expect((try? plain.headerSize()) == nil)
      findings.expect((try? NetworkInterface.mtu(of: "absent")) == nil)
      findings.expect((try? TapQueue.count(of: "absent")) == nil)
    }
  }

  @Test func framesGoBothWaysAndWaitInTheTap() async throws {
    try await Self.check { findings in
      let queue = try TapQueue.attach("t3", isMultiQueue: false)
      try queue.setHeaderSize()
      try TestNetwork.bringUp("t3")
      let host = try TestNetwork.packets(on: "t3")
      var buffer = [UInt8](repeating: 0xff, count: TapQueue.frameLimit)
      let none = try queue.read(into: &buffer)
      findings.expect(none == nil)
      for number: UInt8 in 0..<20 {
        try host.write(Array(Self.frame(to: Self.station, from: Self.other, number)[TapQueue.headerSize...]))
      }
      // Whoever has a descriptor takes the next one.
      let copy = TapQueue(adopting: try queue.descriptor.duplicate())
      for number: UInt8 in 0..<20 {
        let count = try number % 2 == 0 ? queue.read(into: &buffer) : copy.read(into: &buffer)
        findings.expect(count == 72 && buffer[71] == number && Array(buffer[12..<18]) == Self.station)
      }
      let sent = Self.frame(to: Self.other, from: Self.station, 7)
      try queue.write(sent, count: sent.count)
      let seen = try host.read(limit: 2048)
      findings.expect(seen == Array(sent[TapQueue.headerSize...]))
    }
  }

  @Test func theFilterLetsOwnFramesInAndThoseToGroups() async throws {
    try await Self.check { findings in
      let queue = try TapQueue.attach("t4", isMultiQueue: false)
      try queue.setHeaderSize()
      try TestNetwork.bringUp("t4")
      let host = try TestNetwork.packets(on: "t4")
      var buffer = [UInt8](repeating: 0, count: TapQueue.frameLimit)
      func passed() throws -> Int {
        let group: [UInt8] = [1, 0, 0x5e, 0, 0, 1]
        let all = [UInt8](repeating: 0xff, count: 6)
        for to in [Self.station, Self.other, group, all] {
          try host.write(Array(Self.frame(to: to, from: Self.other)[TapQueue.headerSize...]))
        }
        var count = 0
        while try queue.read(into: &buffer) != nil { count += 1 }
        return count
      }
      try findings.expect(passed() == 4)
      try queue.accept(only: Self.station)
      try findings.expect(passed() == 3)
      try queue.acceptAll()
      try findings.expect(passed() == 4)
    }
  }

  /// A process that another test starts has a copy of the queue until it executes its program.
  private static func attachOnceFree(_ tap: String) throws -> TapQueue {
    let deadline = MonotonicClock.now() + 60_000_000_000
    while true {
      do throws(SystemError) { return try TapQueue.attach(tap, isMultiQueue: false) } catch {
        guard error.errno == EBUSY, MonotonicClock.now() < deadline else { throw error }
      }
      MonotonicClock.sleep(1_000_000)
    }
  }

  @Test func aTapThatStaysIsSetBack() async throws {
    try await Self.check { findings in
      try TestNetwork.makeTap("t6")
      var found: [TapSettings] = []
      for _ in 1...2 {
        let queue = try Self.attachOnceFree("t6")
        let before = try queue.settings()
        found.append(before)
        try queue.setHeaderSize()
        try queue.setOffloads([])
        let bare = try queue.settings()
        findings.expect(bare == TapSettings(headerSize: TapQueue.headerSize, offloads: 0))
        try queue.setOffloads(.all)
        let all = try queue.settings()
        findings.expect(all.offloads & 7 == 7)
        try queue.restore(before)
        let after = try queue.settings()
        findings.expect(after == before)
      }
      // A new tap has a header of 10 bytes.
      findings.expect(found[0] == found[1] && found[0].headerSize == 10)
    }
  }

  @Test func aTapThatWasRemovedSaysSo() async throws {
    try await Self.check { findings in
      let queue = try TapQueue.attach("t5", isMultiQueue: false)
      try TestNetwork.remove("t5")
      var isDetached = false
      var buffer = [UInt8](repeating: 0, count: TapQueue.frameLimit)
      do throws(SystemError) { _ = try queue.read(into: &buffer) } catch { isDetached = error.isDetached }
      findings.expect(isDetached)
      do throws(SystemError) { _ = try queue.identity() } catch { isDetached = error.isDetached }
      findings.expect(isDetached)
    }
  }
}
