package import FSRSystem
internal import Synchronization

/// A `VCPUGate` that threads share: each of its calls is one change of one word, by comparing and exchanging, and vCPUs
/// sleep on that word.
package final class VCPUGateWord: Sendable {
  /// How long a vCPU sleeps at most before it looks, in nanoseconds.
  private static let sleepLimit: UInt64 = 10_000_000_000

  private let first: VCPUGate
  private let region: MappedRegion
  /// Threads that sleep, or are about to.
  private let sleepers = Atomic<Int>(0)

  package init(_ gate: VCPUGate) throws(SystemError) {
    first = gate
    region = try MappedRegion(anonymous: 4096)
    // Touches the page, too: the first store to a new one is a fault, and the next comes in the switch.
    region.atomicStore(gate.word, at: 0)
  }

  /// The gate as it is now.
  package var now: VCPUGate { first.at(region.atomicLoad(0)) }

  /// Makes one change; `change` may be called again with another gate. Answers what it answered of the gate that was
  /// there, and the gate afterwards.
  ///
  /// Also where nothing changes the word is exchanged: what the caller does afterwards is behind that for everybody, and
  /// what it did before ahead of it.
  @discardableResult
  package func perform<Answer>(_ change: (inout VCPUGate) -> Answer) -> (answer: Answer, gate: VCPUGate) {
    var seen = region.atomicLoad(0, as: UInt32.self)
    while true {
      var gate = first.at(seen)
      let answer = change(&gate)
      let (isDone, found) = region.atomicCompareExchange(0, expected: seen, desired: gate.word)
      if isDone { return (answer, gate) }
      seen = found
    }
  }

  /// Sleeps while the gate is as it was; may return for no reason.
  package func sleep(while gate: VCPUGate) {
    sleepers.add(1, ordering: .sequentiallyConsistent)
    region.wait(at: 0, while: gate.word, timeout: Self.sleepLimit)
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
  }

  /// Has all look who sleep. Who goes to sleep after a change finds another word, who did before is counted.
  package func wake() {
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { region.wake(at: 0) }
  }
}
