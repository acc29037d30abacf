import FSRSystem
import FSRTestSupport
import Synchronization

/// Numbered frames that are sent to a port all the while, and the answers to them, counted.
///
/// No more are under way than a tap holds, so that one that does not come back was lost by whoever had it.
final class FrameTraffic: Sendable {
  static let port: [UInt8] = [2, 0, 0, 0, 0, 1]
  private static let station: [UInt8] = [2, 0, 0, 0, 0, 99]
  /// Frames under way.
  private static let window = 64
  /// Flows, so that several queues are used.
  private static let flows = 16
  private static let headerSize = 14 + 20 + 8

  private let socket: Owned<OwnedDescriptor>
  private let isOver = OneWayFlag()
  private let thread = Mutex<OSThread?>(nil)
  /// How often each frame was answered, by its number; and what came that should not.
  private let tally = Mutex<(answers: [UInt8], strange: [String])>(([], []))

  /// - Parameter tap: up, and in the calling thread's namespace.
  init(on tap: String) throws {
    socket = Owned(try TestNetwork.packets(on: tap))
    let started = try OSThread.start(name: "frames") { [self] in run() }
    thread.withLock { $0 = started }
  }

  /// Answers that have come so far.
  var answered: Int { tally.withLock { $0.answers.filter { $0 > 0 }.count } }

  /// Stops sending, waits for the answers that are due; how many frames there were, and what was wrong.
  func finish() -> (sent: Int, findings: [String]) {
    isOver.raise()
    thread.withLock { $0?.join() }
    return tally.withLock { tally in
      let lost = tally.answers.indices.filter { tally.answers[$0] == 0 }
      let doubled = tally.answers.indices.filter { tally.answers[$0] > 1 }
      var findings = tally.strange
      if !lost.isEmpty { findings.append("not answered: \(lost.prefix(20)) of \(tally.answers.count)") }
      if !doubled.isEmpty { findings.append("answered twice: \(doubled.prefix(20))") }
      return (tally.answers.count, findings)
    }
  }

  private func run() {
    var pending = 0
    var deadline = MonotonicClock.now() + TestVM.timeout
    while !isOver.isUp || pending > 0 {
      if !isOver.isUp, pending < Self.window, send() { pending += 1 }
      if receive() {
        pending -= 1
        deadline = MonotonicClock.now() + TestVM.timeout
      } else if pending == Self.window || isOver.isUp {
        if MonotonicClock.now() > deadline { return }
        var poller = Poller()
        poller.watch(socket.value, token: 0)
        _ = try? poller.wait(timeout: 5_000_000)
      }
    }
    // One that is doubled comes after all were there.
    while receive() {}
  }

  private func send() -> Bool {
    let number = tally.withLock { $0.answers.count }
    do {
      try socket.value.write(Self.frame(number, to: Self.port, from: Self.station))
      tally.withLock { $0.answers.append(0) }
      return true
    } catch {
      tally.withLock { $0.strange.append("frame \(number) is not taken: \(error)") }
      isOver.raise()
      return false
    }
  }

  /// Takes note of the next frame, if one is there; whether it was a first answer.
  private func receive() -> Bool {
    guard let bytes = try? socket.value.read(limit: 2048), bytes.count >= Self.headerSize + 8 else {
      return false
    }
    let number = (0..<8).reduce(0) { $0 | Int(bytes[Self.headerSize + $1]) << ($1 * 8) }
    return tally.withLock { tally in
      guard tally.answers.indices.contains(number),
        bytes == Self.frame(number, to: Self.station, from: Self.port)
      else {
        tally.strange.append("a frame that nobody sent: \(bytes.prefix(64))")
        return false
      }
      tally.answers[number] &+= 1
      return tally.answers[number] == 1
    }
  }

  /// An IPv4 packet of UDP: the kernel spreads flows over queues by the ports.
  private static func frame(_ number: Int, to: [UInt8], from: [UInt8]) -> [UInt8] {
    let payload =
      (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
      + [UInt8](repeating: 0x5a, count: number % 400)
    let total = UInt16(20 + 8 + payload.count)
    let source = UInt16(40_000 + number % flows)
    func pair(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
    let ip: [UInt8] = [0x45, 0] + pair(total) + [0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]
    let udp = pair(source) + pair(9) + pair(total - 20) + [0, 0]
    return to + from + [8, 0] + ip + udp + payload
  }
}
