package import FSRHost
package import FSRSystem
internal import Logging
internal import Synchronization

/// The thread that takes a port's frames while this process owns the guest.
///
/// It rests between two frames before the guest is given away: what it has read it has answered or dropped,
/// and what it has not read waits in the tap for the next owner.
package final class PortPump: Sendable {
  /// Frames of one queue before the others are looked at.
  private static let batch = 64

  private enum Mode: UInt8 {
    case over
    /// Made ahead, of a guest that is to come.
    case parked
    case serving
    /// Until `start`: one that rests is launched no more.
    case resting
  }

  private let port: TapPort
  private let queues: [Owned<TapQueue>]
  private let counters: PortCounters
  private let name: String
  /// Says that the mode has changed.
  private let bell: EventDescriptor
  private let mode = Atomic<UInt8>(Mode.over.rawValue)
  private let thread = Mutex<OSThread?>(nil)
  /// Whether somebody waits until it rests, and the thread's word that it does.
  private let isAwaited = Atomic<Bool>(false)
  private let rested = Semaphore()
  private let flaw = Mutex("")

  package init(_ port: TapPort, index: Int, queues: [Owned<TapQueue>], counters: PortCounters)
    throws(SystemError)
  {
    self.port = port
    self.queues = queues
    self.counters = counters
    name = "nic\(index)"
    bell = try EventDescriptor()
  }

  /// Why frames are not taken any more, and what to do about it; empty where nothing is wrong.
  var trouble: String { flaw.withLock { $0 } }

  /// Makes the thread, which takes nothing until `start` or `launch`.
  package func park() throws(SystemError) { try begin(.parked) }

  /// Lets frames be taken; nothing happens where they are.
  package func start() throws(SystemError) {
    launch()
    let (isLetGo, _) = mode.compareExchange(
      expected: Mode.resting.rawValue, desired: Mode.serving.rawValue, ordering: .acquiringAndReleasing)
    if isLetGo { try? bell.signal() }
    try begin(.serving)
  }

  /// Lets the thread that `park` has made take frames, if it is still parked. Makes one system call.
  package func launch() {
    let (isLaunched, _) = mode.compareExchange(
      expected: Mode.parked.rawValue, desired: Mode.serving.rawValue, ordering: .acquiringAndReleasing)
    if isLaunched { try? bell.signal() }
  }

  /// Returns when no frame is in this process's hands; the thread waits for `start`.
  package func rest() {
    // One that has not been launched has no frame, and is not to be from here on.
    let (isHeld, _) = mode.compareExchange(
      expected: Mode.parked.rawValue, desired: Mode.resting.rawValue, ordering: .acquiringAndReleasing)
    if isHeld { return }
    isAwaited.store(true, ordering: .releasing)
    let (isAsked, _) = mode.compareExchange(
      expected: Mode.serving.rawValue, desired: Mode.resting.rawValue, ordering: .acquiringAndReleasing)
    guard isAsked else { return isAwaited.store(false, ordering: .releasing) }
    try? bell.signal()
    rested.wait()
  }

  /// Returns when no frame is in this process's hands, and the thread is gone.
  package func stop() {
    thread.withLock { thread in
      mode.store(Mode.over.rawValue, ordering: .releasing)
      try? bell.signal()
      thread?.join()
      thread = nil
    }
  }

  private func begin(_ first: Mode) throws(SystemError) {
    try thread.withLock { (thread) throws(SystemError) in
      guard thread == nil else { return }
      try bell.clear()
      mode.store(first.rawValue, ordering: .releasing)
      do throws(SystemError) { thread = try OSThread.start(name: name) { [self] in work() } } catch {
        mode.store(Mode.over.rawValue, ordering: .releasing)
        throw error
      }
    }
  }

  private var now: Mode { Mode(rawValue: mode.load(ordering: .acquiring)) ?? .over }

  // MARK: the thread

  private func work() {
    var buffer = [UInt8](repeating: 0, count: TapQueue.frameLimit)
    // Those that still give frames: a tap that was removed gives none ever again.
    var live = Array(queues.indices)
    while now != .over {
      while now == .parked || now == .resting {
        if isAwaited.exchange(false, ordering: .acquiringAndReleasing) { rested.post() }
        listen(to: [])
      }
      if now == .serving { prepare() }
      while now == .serving { serve(&live, &buffer) }
    }
  }

  private func serve(_ live: inout [Int], _ buffer: inout [UInt8]) {
    for index in listen(to: live) {
      do throws(SystemError) { try take(from: queues[index], &buffer) } catch {
        live.removeAll { $0 == index }
        note(index, error)
      }
    }
  }

  /// Sets again what holds for the whole tap, as whoever had it before may have had it otherwise.
  private func prepare() {
    guard let queue = queues.first else { return }
    do throws(SystemError) {
      try queue.value.setOffloads(port.offloads)
      try queue.value.accept(only: port.mac.bytes)
    } catch { if !error.isDetached { say("it is not set as it was: \(error)") } }
  }

  /// Waits for a frame, or a change of mode; answers which queues have frames.
  @discardableResult
  private func listen(to live: [Int]) -> [Int] {
    var poller = Poller()
    poller.watch(bell.descriptor, token: -1)
    for index in live { poller.watch(queues[index].value.descriptor, token: index) }
    let ready = (try? poller.wait(timeout: nil)) ?? []
    if ready.contains(-1) { _ = try? bell.clear() }
    return ready.filter { $0 >= 0 }
  }

  private func take(from queue: Owned<TapQueue>, _ buffer: inout [UInt8]) throws(SystemError) {
    for _ in 0..<Self.batch {
      // Asked before each frame, and never between one and its answer.
      guard now == .serving, let count = try queue.value.read(into: &buffer) else { return }
      let bytes = max(0, count - TapQueue.headerSize)
      counters.received(bytes: bytes)
      guard port.consumer == .echo, FrameReflector.reflect(&buffer, count: count, for: port.mac) else {
        counters.drop()
        continue
      }
      do throws(SystemError) {
        try queue.value.write(buffer, count: count)
        counters.sent(bytes: bytes)
      } catch {
        // The interface is down, or the host has no room.
        counters.drop()
      }
    }
  }

  private func note(_ queue: Int, _ error: SystemError) {
    let what =
      error.isDetached
      ? "the tap is gone, somebody has removed it; no frames go through this port any more, one made anew under its name "
        + "included, until the VM is stopped and started again"
      : "queue \(queue) gives no frames any more: \(error)"
    let isNew = flaw.withLock { flaw in
      defer { flaw = what }
      return flaw != what
    }
    if isNew { say(what) }
  }

  private func say(_ what: String) { VMMLog.logger("port \(port.tap)").warning("\(what)") }
}
