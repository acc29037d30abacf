import FSRMemory
import FSRSystem
import FSRTestSupport
import Synchronization

/// A guest that goes over its few pages in a fixed order: on each it checks all that it wrote last, and writes anew. Of four
/// pages one is all zeros in every other pass, one shrinks, and two do not.
final class SweepGuest: Sendable {
  /// Where it has come.
  struct Place: Sendable, Comparable {
    var pass: UInt64 = 1
    var page: UInt64 = 0

    static func < (one: Place, other: Place) -> Bool { (one.pass, one.page) < (other.pass, other.page) }
  }

  private static let words: UInt64 = 512

  let memory: GuestMemory
  let pages: UInt64

  init(_ memory: GuestMemory) {
    self.memory = memory
    pages = memory.size / GuestMemory.pageSize
  }

  private func content(of page: UInt64, _ pass: UInt64) -> (UInt64) -> UInt64 {
    if pass == 0 || (page % 4 == 3 && pass % 2 == 0) { return { _ in 0 } }
    if page % 4 == 2 { return { $0 < 64 ? page << 32 | pass << 8 | $0 : pass } }
    return { index in
      var random = SeededGenerator(seed: page << 40 ^ pass << 20 ^ index)
      return random.next()
    }
  }

  /// The place so many pages behind another.
  func place(_ count: UInt64, behind place: Place) -> Place {
    let page = place.page + count
    return Place(pass: place.pass + page / pages, page: page % pages)
  }

  /// Goes on from `place` to `end`, or until `halt` is up; answers where it stands then, and how many
  /// pages were not as it had left them.
  func walk(from place: Place, to end: Place, until halt: OneWayFlag? = nil) -> (Place, wrong: Int) {
    var place = place
    var wrong = 0
    while place < end {
      if halt?.isUp == true { break }
      if !step(place) { wrong += 1 }
      place = self.place(1, behind: place)
    }
    return (place, wrong)
  }

  private func step(_ place: Place) -> Bool {
    let old = content(of: place.page, place.pass - 1)
    let new = content(of: place.page, place.pass)
    var isGood = true
    for index in 0..<Self.words {
      let at = place.page * GuestMemory.pageSize + index * 8
      if memory.load(at, as: UInt64.self) != old(index) { isGood = false }
      memory.store(new(index), at: at)
    }
    return isGood
  }
}

/// A walk on a thread of its own, as a vCPU's.
final class SweepWalk: Sendable {
  private let thread: OSThread
  private let halt = OneWayFlag()
  private let end: Owned<EventDescriptor>
  private let answer: Owned<Mutex<(SweepGuest.Place, wrong: Int)?>>

  init(_ guest: SweepGuest, from place: SweepGuest.Place, to last: SweepGuest.Place) throws {
    let end = Owned(try EventDescriptor())
    let answer = Owned(Mutex<(SweepGuest.Place, wrong: Int)?>(nil))
    let halt = halt
    self.end = end
    self.answer = answer
    thread = try OSThread.start(name: "walker") {
      let found = guest.walk(from: place, to: last, until: halt)
      answer.value.withLock { $0 = found }
      try? end.value.signal()
    }
  }

  /// Asks it to stand still at its next page.
  func stop() { halt.raise() }

  /// Where it stands and how many pages were wrong; nil where it still walks, or waits for a page, after `timeout` nanoseconds.
  func wait(timeout: UInt64) throws -> (SweepGuest.Place, wrong: Int)? {
    var poller = Poller()
    poller.watch(end.value.descriptor, token: 0)
    guard try !poller.wait(timeout: timeout).isEmpty else { return nil }
    thread.join()
    return answer.value.withLock { $0 }
  }
}
