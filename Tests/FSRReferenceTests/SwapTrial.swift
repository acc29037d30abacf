import FSRHandoff
import FSRHost
import FSRMemory
import FSRReference
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// A fixed piece of work with a swap file that fails as planned: a guest walks over more pages than it may keep, a handoff
/// of it is called off when the file was given back already, the next one succeeds, and the guest walks on in the
/// destination. All is real but the vCPUs and the two processes: both sides are in this one.
final class SwapTrial {
  /// What fails, and for how long.
  enum Course: Sendable {
    /// One operation. Nobody but the pager notices.
    case once
    /// So many that a page that cannot be read pauses the guest; whoever resumes it finds the disk mended in the end.
    case stretch
    /// All that follow.
    case lasting
  }

  struct Count: Sendable {
    var reads: UInt64 = 0
    /// From guest memory and from the cache.
    var writes: UInt64 = 0
    var failures: UInt64 = 0
    var pauses = 0
    /// Handoffs that were called off since the guest stood at a page.
    var calledOff = 0
  }

  static let pages: UInt64 = 96
  static let limit: UInt64 = 64
  /// Pages that it walks in all, and, at most, while it is about to be handed over: the destination has the larger part.
  private static let way: UInt64 = 4 * pages
  private static let quiescedWay: UInt64 = pages / 2
  /// Nanoseconds: far more than anything here takes.
  private static let timeout: UInt64 = 60_000_000_000
  /// Nanoseconds for a walker to stand still before the handoff is called off.
  private static let stunLimit: UInt64 = 10_000_000
  private static let handoffTries = 100

  private let plan: String
  private let operation: IOFaultPlan.Operation
  private let number: UInt64
  private let reason: IOFaultPlan.Reason
  private let course: Course
  private let configuration: PagingConfiguration
  private let place: Owned<TemporaryDirectory>
  private let pauses: Owned<Mutex<[PagerFailure]>> = Owned(Mutex([]))
  private var here: GuestPaging?
  /// The destination of a handoff under way.
  private var there: GuestPaging?
  private var guest: SweepGuest
  private var at = SweepGuest.Place()
  /// Swap files that this VMM has had open, each of which counts anew.
  private var files: UInt64 = 1
  private(set) var findings: [String] = []
  private(set) var count = Count()

  /// - Parameter compression: bytes of the compression cache.
  init(
    _ operation: IOFaultPlan.Operation, _ number: UInt64, _ reason: IOFaultPlan.Reason, _ course: Course,
    compression: UInt64 = 0
  ) throws {
    let last: UInt64
    switch course {
    case .once: last = number
    case .stretch: last = number + 63
    case .lasting: last = .max
    }
    plan = "\(IOFaultPlan([.init(operation, numbers: number...last, reason: reason)]))"
    self.operation = operation
    self.number = number
    self.reason = reason
    self.course = course
    place = Owned(try TemporaryDirectory())
    var configuration = PagingConfiguration(
      resident: Self.limit * GuestMemory.pageSize, swap: place.value.path + "/swap", compression: compression)
    configuration.faults = plan
    self.configuration = configuration
    guest = SweepGuest(try GuestMemory(size: Self.pages * GuestMemory.pageSize))
  }

  private struct Stuck: Error {}

  private func find(_ finding: String) { findings.append("\(plan): \(finding)") }

  /// Does the work. What is wrong is in `findings` then.
  func perform() {
    do {
      let source = try GuestPaging(
        starting: configuration, memory: guest.memory, reserve: 0, vm: "sweep",
        identity: MachineIdentity(high: 1, low: 2))
      listen(to: source)
      try source.start(isToWait: false)
      here = source
      try walk(to: Self.pages)
      checkTrouble()
      try callBack()
      try handOver()
      try walk(to: Self.way)
      checkTrouble()
      checkRest()
      try standStill()
      note()
      here?.leave()
    } catch is Stuck { abandonStuck() } catch { find("\(error)") }
    there?.leave()
    (here, there) = (nil, nil)
  }

  // MARK: the guest

  private func listen(to paging: GuestPaging) {
    let pauses = pauses
    let heals = course == .stretch
    paging.onFailure { [weak paging] failure in
      let isFirst = pauses.value.withLock { pauses in
        pauses.append(failure)
        return pauses.count == 1
      }
      // A disk that does not heal is tried once more.
      if heals || isFirst { paging?.pager.guestWasResumed() }
    }
  }

  private func walk(to end: UInt64) throws {
    try finish(try SweepWalk(guest, from: at, to: guest.place(end, behind: SweepGuest.Place())))
  }

  /// - Throws: `Stuck` where the guest is paused again after it was resumed, and the disk does not heal.
  private func finish(_ walk: SweepWalk) throws {
    let deadline = MonotonicClock.now() + Self.timeout
    while MonotonicClock.now() < deadline {
      if let (place, wrong) = try walk.wait(timeout: 20_000_000) {
        at = place
        if wrong > 0 { find("\(wrong) pages are wrong") }
        return
      }
      if course != .stretch, pauses.value.withLock({ $0.count }) > 1 {
        stuckWalk = walk
        throw Stuck()
      }
    }
    throw Unexpected("the guest stands still at \(at)")
  }

  private var stuckWalk: SweepWalk?

  /// A guest that waits for a page that never comes ends without it; what it finds there then is nothing.
  private func abandonStuck() {
    note()
    let failures = pauses.value.withLock { $0 }
    if operation != .read || course != .lasting { find("the guest was paused: \(failures)") }
    if failures.contains(where: { $0.reason != .unreadable }) { find("the guest was paused for \(failures)") }
    here?.leave()
    here = nil
    stuckWalk?.stop()
    if (try? stuckWalk?.wait(timeout: Self.timeout)) == nil { find("the guest's thread does not end") }
  }

  // MARK: handoffs

  private func destination(of source: GuestPaging) throws -> (GuestPaging, SweepGuest) {
    var description = GuestDescription(
      manifest: Manifest(
        name: "sweep", machine: MachineIdentity(high: 1, low: 2), slots: [], memory: [], sections: [],
        checkpointCapacity: 1, executable: "", arguments: []),
      descriptors: DescriptorBag())
    try source.describe(into: &description)
    guard let section = description.manifest.sections.first else {
      throw Unexpected("no section of the file")
    }
    let memory = try GuestMemory(
      adopting: try guest.memory.descriptor.duplicate(), size: guest.memory.size)
    let made = try GuestPaging(adopting: configuration, memory: memory, reserve: 0, swap: section) {
      try description.take($0)
    }
    listen(to: made)
    try made.start(isToWait: true)
    there = made
    return (made, SweepGuest(memory))
  }

  /// Quiesces while the guest walks, and freezes once it stands; a guest that waits for a page goes on, and it is tried again.
  private func standStill() throws {
    guard let here else { return }
    for _ in 0..<Self.handoffTries {
      let walk = try SweepWalk(guest, from: at, to: guest.place(Self.quiescedWay, behind: at))
      try here.quiesce()
      walk.stop()
      if let (place, wrong) = try walk.wait(timeout: Self.stunLimit) {
        at = place
        if wrong > 0 { find("\(wrong) pages are wrong") }
        try here.freeze()
        checkBooks()
        return
      }
      count.calledOff += 1
      here.thaw()
      try finish(walk)
    }
    throw Unexpected("no handoff succeeds")
  }

  /// A handoff that comes to nothing in the last moment: the source has closed its file, and opens it again.
  private func callBack() throws {
    guard let source = here else { return }
    let (made, _) = try destination(of: source)
    try standStill()
    made.rehearse()
    source.release()
    made.leave()
    there = nil
    files += 1
    guard source.reacquire() else { throw Unexpected("the source cannot take its file back") }
    source.thaw()
  }

  private func handOver() throws {
    guard let source = here else { return }
    let (made, moved) = try destination(of: source)
    try standStill()
    made.rehearse()
    let told = source.table.counts
    source.release()
    guard made.take() else { throw Unexpected("the destination cannot take the file") }
    try made.verify(told)
    made.begin()
    note()
    source.leave()
    (here, there) = (made, nil)
    guest = moved
    files = 1
    made.arrived()
  }

  // MARK: what must hold

  /// Everything stands: each page is in one place, and no slot is in use for nothing.
  private func checkBooks() {
    guard let here else { return }
    let pages = here.table.counts
    let used = here.slots.used
    if pages.swapped != used { find("\(pages.swapped) pages are swapped, \(used) slots in use") }
    if configuration.compression == 0, pages.compressed > 0 { find("\(pages) without a cache") }
    let present = (try? guest.memory.residentPages()) ?? 0
    if present != pages.resident { find("\(present) pages are there, and \(pages.resident) said to be") }
  }

  private var isLastingWrite: Bool { operation == .write && course == .lasting }

  /// What is written no more is said, and stays.
  private func checkTrouble() {
    guard let here, isLastingWrite, here.pager.status[.failures] > 0 else { return }
    let expected: PageStoreError = reason == .inputOutput ? .io : .full
    if !wait({ here.pager.status.trouble == expected }) { find("nothing is said: \(here.pager.status)") }
  }

  /// What has passed leaves nothing behind: pages go again, down to the limit. Where a write failed that takes as long as
  /// the pager rests after it, so not each is waited for.
  private func checkRest() {
    guard let here, !isLastingWrite, number % 8 == 1 else { return }
    let most = Self.limit
    if !wait({ here.pager.status.trouble == nil && here.table.counts.resident <= most }) {
      find("it does not come to rest: \(here.pager.status)")
    }
  }

  private func wait(_ condition: () -> Bool) -> Bool {
    let deadline = MonotonicClock.now() + Self.timeout
    while !condition() {
      if MonotonicClock.now() > deadline { return false }
      MonotonicClock.sleep(1_000_000)
    }
    return true
  }

  /// Takes a VMM's numbers down, once it has done its part.
  private func note() {
    guard let status = here?.pager.status else { return }
    let writes = status[.writes] + status[.drains]
    if isLastingWrite, writes > files * (number - 1) { find("\(writes) pages were written") }
    count.writes = max(count.writes, writes)
    count.reads = max(count.reads, status[.reads])
    count.failures += status[.failures]
    count.pauses = pauses.value.withLock { $0.count }
  }
}

struct Unexpected: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
