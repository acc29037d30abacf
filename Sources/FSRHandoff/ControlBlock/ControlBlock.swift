public import FSRState
public import FSRSystem
internal import Synchronization

/// The small shared file of one handoff attempt: the resume word, the flags, the parties and the timeline.
///
/// Every party maps the same file. It is never reused, rewritten or truncated; it is locked in memory, since a
/// page fault in the stun would cost more than the stun.
public final class ControlBlock: Sendable {
  let region: MappedRegion
  /// The file, to send to a party.
  public let descriptor: OwnedDescriptor
  /// Rises with every handoff and every successor, won or lost.
  public let attempt: UInt32
  /// The source's generation; a destination that wins has the next one.
  public let generation: UInt64
  public let machine: MachineIdentity
  /// Tells this block's draft from any other of the same attempt: who publishes it names this very file.
  let draft: UInt64
  /// The furthest state in which this process saw the word: what counts while somebody has written rubbish over it. No
  /// edge leads to a lower number.
  private let lastSeen: Atomic<UInt32>
  /// Whether this process is the source, which alone claims `resumed` and alone says complete.
  private let isOfSource = Atomic<Bool>(false)
  /// Whether it has begun to claim `resumed`.
  private let claimsResumed = Atomic<Bool>(false)
  /// Whether it has begun to say complete. The flag in the block does not count for that: somebody may have taken it away.
  private let saysComplete = Atomic<Bool>(false)

  /// Whether this source has begun to save the guest's state. From then on somebody may run the guest who was lied to: a
  /// checkpoint that is whole can be loaded, whatever is said of it.
  private let hasSaved = Atomic<Bool>(false)
  /// Whether this source has seen its destination gone.
  private let isAlone = Atomic<Bool>(false)

  /// Fills a new, empty file: all of it, before anybody else can see it.
  public init(
    filling descriptor: consuming OwnedDescriptor, attempt: UInt32, generation: UInt64,
    machine: MachineIdentity, state: ResumeState, draft: UInt64 = 0
  ) throws(HandoffError) {
    do throws(SystemError) {
      // Allocated now: a sparse page on a full file system would be a SIGBUS later.
      try descriptor.allocate(at: 0, length: BlockLayout.size)
      region = try MappedRegion(
        mapping: descriptor, length: BlockLayout.size, populate: true, mayShrink: true)
      try region.lock()
    } catch { throw .system(error) }
    region.store(BlockLayout.formatNumber, at: BlockLayout.format)
    region.store(attempt, at: BlockLayout.attempt)
    region.store(generation, at: BlockLayout.generation)
    region.store(machine.high, at: BlockLayout.machineHigh)
    region.store(machine.low, at: BlockLayout.machineLow)
    region.store(draft, at: BlockLayout.draft)
    region.atomicStore(ResumeWord(attempt: attempt, state: state).bits, at: BlockLayout.word)
    region.atomicStore(BlockLayout.magicNumber, at: BlockLayout.magic)
    self.descriptor = descriptor
    self.attempt = attempt
    self.generation = generation
    self.machine = machine
    self.draft = draft
    lastSeen = Atomic(state.rawValue)
  }

  /// Maps a block that somebody else filled.
  ///
  /// - Throws: `HandoffError.badBlock` for anything that is not one.
  public init(adopting descriptor: consuming OwnedDescriptor) throws(HandoffError) {
    do {
      let size = try descriptor.size()
      guard size == BlockLayout.size else {
        throw HandoffError.badBlock("it has \(size) bytes, and \(BlockLayout.size) are due")
      }
      region = try MappedRegion(
        mapping: descriptor, length: BlockLayout.size, populate: true, mayShrink: true)
    } catch let error as SystemError where error.isOwnShortage {
      // It says nothing of the block.
      throw .system(error)
    } catch { throw error as? HandoffError ?? .badBlock("\(error)") }
    do throws(SystemError) { try region.lock() } catch { throw .system(error) }
    guard region.atomicLoad(BlockLayout.magic, as: UInt64.self) == BlockLayout.magicNumber,
      region.load(BlockLayout.format, as: UInt32.self) == BlockLayout.formatNumber
    else { throw .badBlock("it has no magic number of this format") }
    attempt = region.load(BlockLayout.attempt)
    generation = region.load(BlockLayout.generation)
    machine = MachineIdentity(
      high: region.load(BlockLayout.machineHigh), low: region.load(BlockLayout.machineLow))
    draft = region.load(BlockLayout.draft)
    // A victor has the next one.
    guard generation < .max else { throw .badBlock("there is no generation after its own") }
    guard let word = ResumeWord(bits: region.atomicLoad(BlockLayout.word), attempt: attempt) else {
      throw .badBlock("its word is of no state")
    }
    lastSeen = Atomic(word.state.rawValue)
    self.descriptor = descriptor
  }

  // MARK: the word

  /// Who may resume the guest, as of now.
  ///
  /// Only claims write it, and they write nothing else. Where a peer has corrupt over it, it is what it was when
  /// this process saw it last: a victor goes on, and nobody else becomes one.
  public var state: ResumeState { look().state }

  /// Whether the word is no state of this attempt, or one to which no edge led: a peer has written over it.
  public var isCorrupt: Bool { look().isCorrupt }

  private func look() -> (state: ResumeState, isCorrupt: Bool, bits: UInt64) {
    // The older one first: the word has gone at least as far.
    guard let last = ResumeState(rawValue: lastSeen.load(ordering: .acquiring)) else {
      preconditionFailure("only states are noted")
    }
    let bits = region.atomicLoad(BlockLayout.word, as: UInt64.self)
    guard let word = ResumeWord(bits: bits, attempt: attempt) else { return (last, true, bits) }
    if word.state == last { return (last, false, bits) }
    guard last.leads(to: word.state), isBelievable(word.state, after: last) else { return (last, true, bits) }
    note(word.state)
    return (word.state, false, bits)
  }

  /// Whether the word may have come to `state` without a lie: this party knows what it has said itself.
  private func isBelievable(_ state: ResumeState, after last: ResumeState) -> Bool {
    let isSource = isOfSource.load(ordering: .relaxed)
    switch state {
    case .none, .destVerify, .source: return true
    case .resumed: return !isSource || claimsResumed.load(ordering: .acquiring)
    // Nobody has won, or could, before there was a checkpoint.
    case .destination, .successor:
      return isSource ? hasSaved.load(ordering: .acquiring) : last != .none || isComplete
    }
  }

  private func note(_ state: ResumeState) { lastSeen.max(state.rawValue, ordering: .releasing) }

  /// Says that this process is the source.
  func belongToSource() { isOfSource.store(true, ordering: .relaxed) }

  /// Moves the word to `new` if `party` may from where it is, by one compare-and-swap.
  public func claim(_ new: ResumeState, by party: Party) -> Claim {
    if party == .source, new == .resumed { claimsResumed.store(true, ordering: .releasing) }
    // A word that is moved more often than there are states is moved by somebody who keeps to no table.
    for _ in ResumeState.allCases {
      let (now, isCorrupt, bits) = look()
      if isCorrupt, !mayMend(bits, to: new, by: party) { return .found(now) }
      guard ResumeWord.allows(now, to: new, by: party) else { return .found(now) }
      let exchange = region.atomicCompareExchange(
        BlockLayout.word, expected: bits, desired: ResumeWord(attempt: attempt, state: new).bits)
      if exchange.exchanged {
        note(new)
        return .made
      }
    }
    return .found(state)
  }

  /// Whether a word that was written over may be put right: before complete nobody but the source may run, and the
  /// source alone says complete. A destination that could have taken a lie for true is seen gone before.
  private func mayMend(_ bits: UInt64, to new: ResumeState, by party: Party) -> Bool {
    guard party == .source, new == .source || new == .resumed, !saysComplete.load(ordering: .acquiring) else {
      return false
    }
    if isAlone.load(ordering: .acquiring), !hasSaved.load(ordering: .acquiring) { return true }
    let lie = ResumeWord(bits: bits, attempt: attempt)?.state
    return !isComplete && lie != .destination && lie != .successor
  }

  /// Says that this source begins to save the guest's state.
  func beginSaving() { hasSaved.store(true, ordering: .releasing) }

  /// Says that the destination that this source has started is gone, or that it has started none.
  func seeAlone() { isAlone.store(true, ordering: .releasing) }

  /// Sleeps while the word is in `state`, `timeout` nanoseconds at most.
  public func wait(while state: ResumeState, timeout: UInt64) {
    if isCorrupt {
      // It would return at once, again and again.
      MonotonicClock.sleep(timeout)
      return
    }
    region.wait(at: BlockLayout.word, while: state.rawValue, timeout: timeout)
  }

  /// Wakes who sleeps on the word; a claim alone wakes nobody, so that the switch need not.
  public func announce() { region.wake(at: BlockLayout.word) }

  // MARK: the checkpoint

  /// Whether the source has said complete: everything it had to write is written.
  public var isComplete: Bool { region.atomicLoad(BlockLayout.complete, as: UInt32.self) == attempt }

  /// Says complete: the source's last write, and one release store.
  public func complete(length: UInt64, checksum: UInt64) {
    saysComplete.store(true, ordering: .releasing)
    region.store(length, at: BlockLayout.length)
    region.store(checksum, at: BlockLayout.checksum)
    region.atomicStore(attempt, at: BlockLayout.complete)
  }

  /// Bytes and checksum of the checkpoint, once complete.
  public var checkpointExtent: (length: UInt64, checksum: UInt64) {
    (region.load(BlockLayout.length), region.load(BlockLayout.checksum))
  }

  private static let ringLimit = 1 << 16

  /// Counts up with every ring.
  public var doorbell: UInt32 { region.atomicLoad(BlockLayout.doorbell) }

  /// Parks the calling thread until somebody rings after `seen` was read, or for no reason.
  public func park(since seen: UInt32, timeout: UInt64? = nil) {
    region.wait(at: BlockLayout.doorbell, while: seen, timeout: timeout)
  }

  /// Wakes every parked thread, in whatever process.
  public func ring() {
    var seen = doorbell
    // Where it goes on changing others ring.
    for _ in 0..<Self.ringLimit {
      let exchange = region.atomicCompareExchange(BlockLayout.doorbell, expected: seen, desired: seen &+ 1)
      if exchange.exchanged { break }
      seen = exchange.original
    }
    region.wake(at: BlockLayout.doorbell)
  }

  // MARK: limits

  /// How long the guest may stand still before the source takes it back, in nanoseconds.
  public var maxDowntime: UInt64 {
    get { region.atomicLoad(BlockLayout.maxDowntime) }
    set { region.atomicStore(newValue, at: BlockLayout.maxDowntime) }
  }

  /// When the handoff is called off, on the monotonic clock.
  public var deadline: UInt64 {
    get { region.atomicLoad(BlockLayout.deadline) }
    set { region.atomicStore(newValue, at: BlockLayout.deadline) }
  }

  /// The largest gap in time that the guest saw around the switch, in microseconds; nil where nobody measured.
  public var guestGap: UInt64? {
    get {
      let value = region.atomicLoad(BlockLayout.guestGap, as: UInt64.self)
      return value == 0 ? nil : value - 1
    }
    set { region.atomicStore(newValue.map { $0 &+ 1 } ?? 0, at: BlockLayout.guestGap) }
  }

  // MARK: the timeline

  /// When `mark` passed, in nanoseconds on the monotonic clock; 0 while it has not.
  public func time(of mark: TimelineMark) -> UInt64 {
    region.atomicLoadRelaxed(BlockLayout.timeline + UInt64(mark.rawValue) * 8)
  }

  /// Writes down that `mark` passes now.
  public func pass(_ mark: TimelineMark, at time: UInt64) {
    region.atomicStoreRelaxed(time, at: BlockLayout.timeline + UInt64(mark.rawValue) * 8)
  }

  /// Writes down `mark` unless it has passed before: the first of several threads counts.
  public func passFirst(_ mark: TimelineMark, at time: UInt64) {
    _ = region.atomicCompareExchange(
      BlockLayout.timeline + UInt64(mark.rawValue) * 8, expected: UInt64(0), desired: time)
  }
}
