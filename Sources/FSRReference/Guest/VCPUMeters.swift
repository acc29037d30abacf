internal import FSRState
package import FSRSystem
internal import Synchronization

/// How long each vCPU was in the guest, and how often it came out, since the VM's birth.
///
/// Time in the guest is the host's time, from a thread's entry to its coming out again: with time in which the host
/// gave the processor to others. A vCPU comes out to wait for an interrupt, to be stopped, when the guest ends, and
/// once in about a thousand million instructions to look up; an access to a device is no coming out.
package final class VCPUMeters: Sendable {
  package struct Reading: Equatable, Sendable {
    /// Nanoseconds.
    package var ran: UInt64
    package var exits: UInt64

    package init(ran: UInt64, exits: UInt64) {
      self.ran = ran
      self.exits = exits
    }
  }

  /// In a vCPU's line of the region: odd while the others change, then nanoseconds in the guest, how often it came
  /// out, and when it went in, 0 where it is out.
  private static let turn: UInt64 = 0
  private static let ran: UInt64 = 8
  private static let exits: UInt64 = 16
  private static let since: UInt64 = 24
  private static let line: UInt64 = 64
  /// Looks at a line that is being changed before the one who changes it is let run.
  private static let timeout = 100
  /// More often than any vCPU comes out in a host's life.
  package static let exitBound: UInt64 = 1 << 62

  package let vcpus: Int
  private let words: MappedRegion

  package init(vcpus: Int) throws(SystemError) {
    self.vcpus = vcpus
    words = try MappedRegion(anonymous: UInt64(vcpus) * Self.line)
    // Touched now: a page fault is nothing for the moments of a switch.
    words.atomicStore(UInt64(0), at: 0)
  }

  // MARK: the vCPU's own thread

  package func enter(_ vcpu: Int) {
    change(vcpu) { line in words.atomicStoreRelaxed(now, at: line + Self.since) }
  }

  package func leave(_ vcpu: Int) {
    change(vcpu) { line in
      let entered = words.atomicLoadRelaxed(line + Self.since, as: UInt64.self)
      let before = words.atomicLoadRelaxed(line + Self.ran, as: UInt64.self)
      words.atomicStoreRelaxed(before &+ (now &- entered), at: line + Self.ran)
      let count = words.atomicLoadRelaxed(line + Self.exits, as: UInt64.self)
      words.atomicStoreRelaxed(count &+ 1, at: line + Self.exits)
      words.atomicStoreRelaxed(UInt64(0), at: line + Self.since)
    }
  }

  private var now: UInt64 { MonotonicClock.now() }

  /// A reader that sees any of what `body` writes sees that the turn has changed.
  private func change(_ vcpu: Int, _ body: (UInt64) -> Void) {
    let line = UInt64(vcpu) * Self.line
    let turn = words.atomicLoadRelaxed(line + Self.turn, as: UInt64.self)
    words.atomicStoreRelaxed(turn &+ 1, at: line + Self.turn)
    // The clock is read behind it: who does not see the turn has read it earlier.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    body(line)
    words.atomicStore(turn &+ 2, at: line + Self.turn)
  }

  // MARK: any thread

  /// The stay in the guest that is under way included.
  package func reading(of vcpu: Int) -> Reading {
    let line = UInt64(vcpu) * Self.line
    var looks = 0
    while true {
      let turn = words.atomicLoad(line + Self.turn, as: UInt64.self)
      let ran = words.atomicLoadRelaxed(line + Self.ran, as: UInt64.self)
      let exits = words.atomicLoadRelaxed(line + Self.exits, as: UInt64.self)
      let since = words.atomicLoadRelaxed(line + Self.since, as: UInt64.self)
      // Ahead of the last look: the stay still lasts then, and a later reading is no less than this one.
      let now = now
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      if turn & 1 == 0, words.atomicLoadRelaxed(line + Self.turn, as: UInt64.self) == turn {
        return Reading(ran: ran &+ (since == 0 || since > now ? 0 : now - since), exits: exits)
      }
      looks += 1
      if looks % Self.timeout == 0 { MonotonicClock.sleep(1000) }
    }
  }

  /// Nanoseconds in the guest, of all vCPUs.
  package var total: UInt64 { (0..<vcpus).reduce(0) { $0 &+ reading(of: $1).ran } }

  // MARK: travelling

  /// No vCPU is in the guest.
  func save(_ vcpu: Int, to writer: inout ByteWriter) {
    let reading = reading(of: vcpu)
    writer.write(reading.ran)
    writer.write(reading.exits)
  }

  /// No vCPU is in the guest.
  func restore(_ reading: Reading, of vcpu: Int) {
    change(vcpu) { line in
      words.atomicStoreRelaxed(reading.ran, at: line + Self.ran)
      words.atomicStoreRelaxed(reading.exits, at: line + Self.exits)
    }
  }
}
