public import FSRMachine
import Foundation
import Synchronization

/// A guest clock that a test moves.
public final class ManualClock: GuestClock {
  private let now = Atomic<UInt64>(0)
  public init() {}
  public var ticks: UInt64 { now.load(ordering: .relaxed) }
  public func advance(by ticks: UInt64) { now.add(ticks, ordering: .relaxed) }
}

/// The host's time, for guests that run on threads.
public struct HostClock: GuestClock {
  private let start = ContinuousClock.now
  public init() {}
  public var ticks: UInt64 {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return UInt64(seconds) * 10_000_000 + UInt64(attoseconds / 100_000_000_000)
  }
}

/// Keeps what the guest printed.
public final class RecordingConsole: ConsoleSink {
  public init() {}
  private let bytes = Mutex<[UInt8]>([])
  public func write(_ byte: UInt8) { bytes.withLock { $0.append(byte) } }
  public var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }
}

/// Counts wakes; the rigs' threads look again instead of sleeping.
public final class CountingWaker: WakesHarts {
  public init() {}
  private let counts = Mutex([Int](repeating: 0, count: 16))
  public func wake(hart: Int) { counts.withLock { $0[hart] += 1 } }
  public func count(_ hart: Int) -> Int { counts.withLock { $0[hart] } }
}
