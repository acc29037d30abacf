import FSRStorage
import FSRSystem
import Testing

/// Two small files and all that happens to them while one is copied to the other: the real `MirrorRoute` and
/// `CopyHelper`, and as values what `FileMirror` and `SwapFile` do around them.
///
/// A block holds a number, 0 where nothing was ever there. While a write is under way in a file, what the file has there is
/// anybody's guess (`unknown`): whoever reads it then takes that along.
struct MirrorModel: Hashable {
  static let unknown: UInt8 = 0xff
  static let failure = SystemError("pwrite", on: "a block", errno: 5)

  /// What may happen in all; no part of a world.
  struct Bounds: Sendable, CustomTestStringConvertible {
    var chunk: UInt64 = 1
    /// Writes of the guest.
    var writes = 2
    /// Writes that the copy's queue has room for.
    var room = 3
    /// Blocks that the file grows by, one after the other.
    var growths: UInt64 = 0
    /// Blocks that are given back.
    var frees = 0
    /// Blocks that are taken for writes to come.
    var allocations = 0
    var failures = 0
    var isCancelled = false
    var isWoken = true
    /// Worlds below which something has been left out.
    var leastWorlds = 1000
    /// Blocks at the start, and which of them hold something.
    var blocks: UInt64 = 4
    var used: UInt8 = 0b1111
    /// Whether a write is under way as the mirror comes.
    var hasEarlierWrite = false
    var testDescription: String {
      "\(blocks) blocks of \(String(used, radix: 2)), chunks of \(chunk), \(writes) writes, room \(room), +\(growths), "
        + "\(allocations) taken, \(frees) freed, \(failures) failures" + (isCancelled ? ", cancel" : "")
        + (hasEarlierWrite ? ", one before" : "")
    }
  }

  enum File: Hashable { case original, copy }

  struct Flight: Hashable {
    let id: UInt64
    let file: File
    let blocks: Range<UInt64>
    /// Whether it goes past the mirror.
    let isPlain: Bool
  }

  struct Write: Hashable {
    let id: UInt64
    let blocks: Range<UInt64>
    var isRefused = false
  }

  /// A chunk under way: each block is read at one moment and written at another.
  struct Moving: Hashable {
    var unread: UInt8
    var unwritten: UInt8 = 0
    var buffer = SIMD8<UInt8>()
    var failure: CopyFailure?
  }

  // The mirror's.
  var route: MirrorRoute
  var helper = CopyHelper()
  var unsent: [Flight] = []
  var toMove: Range<UInt64>?
  var moving: Moving?
  /// Blocks that were moved, or are.
  var movedEnd: UInt64 = 0
  var isOver = false
  /// Emptied by every step.
  var deeds: [MirrorRoute.Deed] = []

  // The files'.
  var original = SIMD8<UInt8>()
  var copy = SIMD8<UInt8>()
  /// Blocks that the copy has room for.
  var copyEnd: UInt64
  /// Blocks that the guest knows of.
  var count: UInt64
  var used: UInt8
  var flights: [Flight] = []

  // The guest's.
  /// What finished writes have left; 0 where nothing is needed.
  var reference = SIMD8<UInt8>()
  var writes: [Write] = []
  var nextID: UInt64 = 0
  var isGrowing = false
  /// The copy was asked for, and there is no answer yet. The guest stands since before that.
  var isAsked = false
  /// The copy was given away; the guest stands for good.
  var isTaken = false
  /// What has happened, against the bounds.
  var allocations = 0
  var frees = 0
  var failures = 0
  /// The first promise that was broken.
  var broken: String?

  init(_ bounds: Bounds) {
    route = MirrorRoute(0..<bounds.blocks)
    (count, copyEnd, used) = (bounds.blocks, bounds.blocks, bounds.used)
    for block in 0..<Int(bounds.blocks) {
      original[block] = 100 + UInt8(block)
      if isUsed(UInt64(block)) { reference[block] = original[block] }
    }
    if bounds.hasEarlierWrite {
      submit(1..<2, isPlain: true)
    } else {
      begin()
    }
  }

  func isUsed(_ block: UInt64) -> Bool { used >> block & 1 == 1 }

  mutating func fail(_ what: String) { if broken == nil { broken = what } }

  // MARK: as FileMirror does

  /// Changes the state and does what follows from it.
  mutating func change(_ body: (inout MirrorModel) -> Void) {
    body(&self)
    repeat {
      if !helper.isAlive, route.isOn { route.takeOff(&deeds) }
      let asked = deeds
      deeds = []
      for body in asked { perform(body) }
      send()
      if route.pending == 0, helper.state == .stunning || helper.state == .failed { helper.take(.drained) }
    } while !deeds.isEmpty || (route.isOn && !helper.isAlive)
    // Nobody takes it any more.
    if !helper.isAlive { toMove = nil }
  }

  private mutating func perform(_ body: MirrorRoute.Deed) {
    switch body {
    case .start(let id, let target):
      guard let write = writes.first(where: { $0.id == id }) else { return fail("write \(id) starts late") }
      unsent.append(Flight(id: id, file: .original, blocks: write.blocks, isPlain: false))
      if target == .both, !route.isWhole, write.blocks.lowerBound >= route.cursor {
        fail("write \(id) ahead of the cursor goes to both")
      }
      if target == .both { unsent.append(Flight(id: id, file: .copy, blocks: write.blocks, isPlain: false)) }
    case .finish(let id):
      guard let index = writes.firstIndex(where: { $0.id == id }) else {
        return fail("write \(id) ends twice")
      }
      if flights.contains(where: { $0.id == id && $0.file == .original }) {
        fail("write \(id) ends before the original has it")
      }
      settle(writes.remove(at: index))
    case .move(let blocks):
      if toMove != nil || moving != nil { fail("two chunks are moved at once") }
      toMove = blocks
    }
  }

  /// What the guest knows from here on.
  mutating func settle(_ write: Write) {
    for block in write.blocks {
      reference[Int(block)] = write.isRefused ? Self.unknown : Self.value(of: write.id)
    }
  }

  static func value(of id: UInt64) -> UInt8 { UInt8(id) + 1 }

  private mutating func send() {
    for flight in unsent {
      guard writes.contains(where: { $0.id == flight.id }), route.isOn || flight.file == .original else {
        unsent.removeAll { $0 == flight }
        continue
      }
      if flight.file == .copy, flights.count(where: { $0.file == .copy }) >= room { continue }
      unsent.removeAll { $0 == flight }
      start(flight)
    }
  }

  /// Set by the step that is taken.
  var room = 3

  /// A file gets a write, and has who knows what there until it ends.
  mutating func start(_ flight: Flight) {
    if flights.contains(where: { $0.file == flight.file && $0.blocks.overlaps(flight.blocks) }) {
      fail("two writes of one block are under way in the \(flight.file)")
    }
    if flight.file == .copy {
      if !helper.isAlive { fail("a copy that was given up is written") }
      if flight.blocks.upperBound > copyEnd { fail("the copy is written behind its end") }
    }
    flights.append(flight)
    flights.sort { ($0.id, $0.file == .copy ? 1 : 0) < ($1.id, $1.file == .copy ? 1 : 0) }
    for block in flight.blocks { put(Self.unknown, flight.file, block) }
  }

  mutating func put(_ value: UInt8, _ file: File, _ block: UInt64) {
    switch file {
    case .original: original[Int(block)] = value
    case .copy: copy[Int(block)] = value
    }
  }

  /// Writes of before the mirror have all ended.
  mutating func begin() {
    guard helper.state == .starting else { return }
    change {
      $0.helper.take(.stands)
      $0.route.begin(&$0.deeds)
    }
  }

  mutating func cancel(_ failure: CopyFailure) { change { $0.helper.take(.failed(failure)) } }

  // MARK: as SwapFile does

  /// The guest writes.
  mutating func submit(_ blocks: Range<UInt64>, isPlain: Bool) {
    let id = nextID
    nextID += 1
    writes.append(Write(id: id, blocks: blocks))
    if isPlain {
      start(Flight(id: id, file: .original, blocks: blocks, isPlain: true))
    } else {
      change { $0.route.write(id, blocks, &$0.deeds) }
    }
  }

  /// A write has ended in a file, well or not.
  mutating func ended(_ flight: Flight, _ failure: CopyFailure?) {
    flights.removeAll { $0 == flight }
    for block in flight.blocks where failure == nil {
      put(Self.value(of: flight.id), flight.file, block)
    }
    let index = writes.firstIndex { $0.id == flight.id }
    if let index, failure != nil, flight.file == .original { writes[index].isRefused = true }
    if flight.isPlain {
      if let index { settle(writes.remove(at: index)) }
      if let failure { cancel(failure) }
      if !flights.contains(where: \.isPlain) { begin() }
      return
    }
    change {
      if let failure { $0.helper.take(.failed(failure)) }
      switch flight.file {
      case .original: $0.route.originalEnded(flight.id, &$0.deeds)
      case .copy: $0.route.copyEnded(flight.id, &$0.deeds)
      }
    }
  }
}
