import FSRMemory
import FSRSystem
import FSRTestSupport
import Synchronization

/// Walks the pages of a memory: checks what it wrote last, whole pages, and writes the next pass. A third of the pages do
/// not shrink, a third do, and a third are zeros in every other pass.
struct PageWalker: Sendable {
  let memory: GuestMemory
  let pages: Range<UInt64>

  private static func word(_ page: UInt64, _ pass: UInt64, _ index: UInt64) -> UInt64 {
    if pass == 0 { return 0 }
    switch page % 3 {
    case 0:
      var random = SeededGenerator(seed: page << 40 ^ pass << 20 ^ index)
      return random.next()
    case 1:
      if index >= 128 { return page << 32 | pass }
      var random = SeededGenerator(seed: page << 40 ^ pass << 20 ^ index)
      return random.next()
    default: return pass % 2 == 0 ? 0 : page << 32 | pass | index << 20
    }
  }

  /// Answers how many pages were not as the pass before left them.
  func walk(pass: UInt64) -> Int {
    var wrong = 0
    for page in pages {
      var isGood = true
      for index in UInt64(0)..<512 {
        let place = page * 4096 + index * 8
        if memory.load(place, as: UInt64.self) != Self.word(page, pass - 1, index) { isGood = false }
        memory.store(Self.word(page, pass, index), at: place)
      }
      if !isGood { wrong += 1 }
    }
    return wrong
  }

  /// Several of them, each on a thread and a part of its own, through `passes`.
  static func walk(_ memory: GuestMemory, threads: UInt64, passes: ClosedRange<UInt64>) throws -> Int {
    let share = memory.size / 4096 / threads
    let bodies = (0..<threads).map { index -> @Sendable () -> Int in
      let walker = PageWalker(memory: memory, pages: index * share..<(index + 1) * share)
      return { passes.reduce(0) { $0 + walker.walk(pass: $1) } }
    }
    return try race(bodies).reduce(0, +)
  }
}
