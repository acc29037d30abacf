import FSRMachine
import FSRState
import FSRSystem
import Synchronization

/// A hart that does what a test tells it: runs, ends its guest, or stays where it is whatever it is asked, as one does that
/// waits for a page.
final class ScriptedCPU: VirtualCPU {
  static let stateVersion: UInt16 = 1

  let hart: Int
  private let lines: HartLines
  private let steps = Atomic<UInt64>(0)
  private let inside = Atomic<Bool>(false)
  private let mustStay = Atomic<Bool>(false)
  private let stays = Atomic<Bool>(false)
  private let end = Mutex<GuestEnd?>(nil)

  init(hart: Int, of machine: Machine) {
    self.hart = hart
    lines = machine.lines(of: hart)
  }

  var instructions: UInt64 { steps.load(ordering: .acquiring) }
  /// Whether its thread is in the guest.
  var isInside: Bool { inside.load(ordering: .sequentiallyConsistent) }
  /// Whether it stays where it is.
  var isStuck: Bool { stays.load(ordering: .acquiring) }

  /// Has it stay where it is, which it does from some time on.
  func stick() { mustStay.store(true, ordering: .releasing) }
  func unstick() { mustStay.store(false, ordering: .releasing) }

  /// Has it end the guest once.
  func endGuest(_ how: GuestEnd) { end.withLock { $0 = how } }

  func run(budget: UInt64) -> CPUExit {
    inside.store(true, ordering: .sequentiallyConsistent)
    defer { inside.store(false, ordering: .sequentiallyConsistent) }
    while true {
      while mustStay.load(ordering: .acquiring) {
        stays.store(true, ordering: .releasing)
        MonotonicClock.sleep(100_000)
      }
      stays.store(false, ordering: .releasing)
      if lines.stop.load(ordering: .acquiring) != 0 { return .stopped }
      if let end = end.withLock({ $0.take() }) { return .ended(end) }
      steps.add(1, ordering: .acquiringAndReleasing)
    }
  }

  func reset(entry: UInt64, deviceTree: UInt64) {}
  func save(to writer: inout ByteWriter) {}
  func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {}
}
