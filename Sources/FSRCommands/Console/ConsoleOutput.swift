internal import FSRClient
internal import FSRSystem
internal import Synchronization

/// The thread that takes a console's output to standard output.
///
/// It may be stuck behind a reader that does not read: whoever runs the console goes on meanwhile.
final class ConsoleOutput: Sendable {
  /// Bytes taken at once.
  private static let chunk = 1 << 16
  /// How long it rests after output before it sleeps until more, in nanoseconds: a guest that prints byte by byte
  /// wakes it as often at most.
  private static let rest: UInt64 = 1_000_000
  /// How long it sleeps at most: a VMM of an older build does not wake it.
  private static let nap: UInt64 = 50_000_000

  private enum Wish: UInt8 { case follow, finish, abandon }

  private let link: ConsoleLink
  private let target: OwnedDescriptor
  /// Told of bytes that were lost.
  private let lost: @Sendable (UInt64) -> Void
  private let wish = Atomic<UInt8>(Wish.follow.rawValue)
  private let isBusy = Atomic<Bool>(false)
  private let lastActive = Atomic<UInt64>(MonotonicClock.now())
  private let outcome = Mutex<SystemError?>(nil)
  /// Up once the thread has done its last write.
  let ended: EventDescriptor

  init(
    of link: ConsoleLink, to target: consuming OwnedDescriptor, lost: @escaping @Sendable (UInt64) -> Void
  ) throws(SystemError) {
    self.link = link
    self.target = target
    self.lost = lost
    ended = try EventDescriptor()
  }

  func start(skippingKept: Bool) throws(SystemError) {
    let reader = link.reader(skippingKept: skippingKept)
    _ = try OSThread.start(name: "output", detached: true) { [self] in
      do throws(SystemError) { try follow(reader) } catch { outcome.withLock { $0 = error } }
      try? ended.signal()
    }
  }

  /// Ends it after all that is there.
  func finish() { change(to: .finish) }

  /// Ends it before the next write.
  func abandon() { change(to: .abandon) }

  private func change(to wish: Wish) {
    self.wish.store(wish.rawValue, ordering: .releasing)
    link.wakeReaders()
  }

  /// Why it ended, where it ended by a failed write.
  var failure: SystemError? { outcome.withLock { $0 } }

  /// Nanoseconds since anything was to be written.
  func quietTime(at now: UInt64) -> UInt64 {
    if isBusy.load(ordering: .acquiring) { return 0 }
    let last = lastActive.load(ordering: .acquiring)
    return now > last ? now - last : 0
  }

  private func follow(_ start: ConsoleReader) throws(SystemError) {
    var reader = start
    while true {
      let wish = wish.load(ordering: .acquiring)
      if wish == Wish.abandon.rawValue { return }
      isBusy.store(true, ordering: .releasing)
      let part = reader.next(limit: Self.chunk)
      if part.lost > 0 { lost(part.lost) }
      if part.bytes.isEmpty {
        isBusy.store(false, ordering: .releasing)
        if wish == Wish.finish.rawValue { return }
        reader.wait(timeout: Self.nap) { self.wish.load(ordering: .acquiring) != wish }
      } else {
        try write(part.bytes)
        lastActive.store(MonotonicClock.now(), ordering: .releasing)
        isBusy.store(false, ordering: .releasing)
        MonotonicClock.sleep(Self.rest)
      }
    }
  }

  private func write(_ bytes: [UInt8]) throws(SystemError) {
    try target.writePatiently(bytes, pollInterval: Self.nap) {
      wish.load(ordering: .acquiring) != Wish.abandon.rawValue
    }
  }
}
