internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRMemory
internal import FSRSoftCPU
internal import FSRState
internal import FSRSystem
internal import Logging
internal import Synchronization

/// The reference VMM's process, once it owns a guest: it answers on the control socket, hands the guest over,
/// and ends when the guest does, when it is told to, or when the guest is elsewhere.
final class ReferenceVMM: Sendable {
  /// Connections served at once; one more waits in the socket's queue.
  private static let connectionLimit = 16
  /// How many attempts a request may be ahead of the VM's newest: numbers are not to be used up by one who lies.
  private static let attemptLeap: UInt32 = 16
  /// How long a client may take to ask, in nanoseconds.
  static let requestLimit: UInt64 = 1_000_000_000
  /// How long a client waits that can be neither served nor turned away, before that is tried again, in nanoseconds.
  private static let acceptInterval: UInt64 = 20_000_000
  /// How often the removal of a folder is tried.
  private static let removalTries = 50
  /// How long a handoff may take to give the guest back to a VM that is to end, before the guest is given up; and once
  /// more, before the process ends as it is. In nanoseconds, as is how often that is looked at. Longer than a
  /// destination that has won waits for its source.
  private static let giveUpLimit: UInt64 = 4_000_000_000
  private static let giveUpPollInterval: UInt64 = 50_000_000

  let guest: ReferenceGuest
  /// The newest decided block: who owns the VM, and in which generation.
  var block: ControlBlock { newest.withLock { $0 } }
  let build: String
  let ending: GuestEnding
  let log: Logger
  /// The block of a handoff in flight, for those who take part in it.
  var handoffBlock: ControlBlock? { current.withLock { $0 } }
  /// Whether the reservation has an heir by this process: only one thread at a time changes the record.
  let isPassedOn = Mutex(false)
  /// Which page could not be brought in; nil where the guest misses none.
  let missingPage = Mutex<PagerFailure?>(nil)
  /// How many removals of former swap files, of the VMM before this one or of a handoff, may still be under way.
  let isSettling: Mutex<Int>
  /// Whether a new one is being made, be it that nobody waits for it any more.
  let isMakingSwap = Atomic<Bool>(false)
  /// The folder's notes of swap files.
  let swapNotes = Mutex(())
  /// Whether the swap file was made for this VM, as the notes had it when it came to be used: whatever becomes of them.
  let isSwapOwn = Atomic<Bool>(false)
  private let newest: Mutex<ControlBlock>
  /// The block of a handoff in flight.
  private let current = Mutex<ControlBlock?>(nil)
  /// Its session.
  private let session = Mutex<SourceSession<ReferenceSource>?>(nil)
  private let isAccepting = Atomic<Bool>(true)
  let isStopping = OneWayFlag()
  private let connections = Atomic<Int>(0)
  let resets = ResetTally()
  /// Held by whoever tells of resets: what one has taken out of the tally is in the history before another looks.
  private let telling = Mutex(())
  /// How far a guest's new start has come, and its end.
  let restart = Mutex(Restart.none)
  /// Whether it was said that no thread is left for a new start.
  let isShortOfThreads = Atomic<Bool>(false)
  let ended = Mutex(Ended.no)
  /// Makes room for telling a client that there is no descriptor left to serve it with.
  private let spare = Mutex<OwnedDescriptor?>(nil)
  /// Wakes the loop of `run`.
  private let event: EventDescriptor

  /// Nothing here may fail: in a destination the guest runs already.
  init(
    guest: ReferenceGuest, block: ControlBlock, ending: GuestEnding, build: String,
    event: consuming EventDescriptor, isSettling: Bool = false
  ) {
    self.isSettling = Mutex(isSettling ? 1 : 0)
    self.guest = guest
    newest = Mutex(block)
    self.ending = ending
    self.build = build
    self.event = event
    log = VMMLog.logger(guest.configuration.name)
    ending.listen { [weak self] in self?.wakeLoop() }
    guest.paging?.onFailure { [weak self] in self?.pageIsMissing($0) }
    noteOwnSwap()
  }

  func wakeLoop() { try? event.signal() }

  // MARK: the loop

  /// Serves until the process is to end. The guest runs already.
  ///
  /// - Parameter signals: those that end the VM, taken before the first vCPU thread was started: one that does
  ///   not block them would die of them.
  /// - Returns: how the guest ended itself; nil where the VM was stopped.
  func run(signals: borrowing SignalDescriptor) throws -> GuestEnd? {
    do { try guest.drain.start() } catch { log.error("the console goes to no file: \(error)") }
    do { try guest.pump.start() } catch { log.error("typed bytes wait until the guest looks: \(error)") }
    do { try guest.load.start() } catch { log.error("the load averages stand still: \(error)") }
    do { try guest.ports.start() } catch { log.error("frames wait in their taps: \(error)") }
    // Here, where what the start needed is closed again: it gets a low number, which a lowered limit reaches last.
    spare.withLock { $0 = Self.anyDescriptor() }
    var giveUpAt = UInt64.max
    // For as long as it is there.
    let runtime = runtimeParts
    var companion = Companion.find()
    if case .gone = companion { loseCompanion() }
    while true {
      var poller = Poller()
      poller.watch(event.descriptor, token: 0)
      if case .lives(let process) = companion { poller.watch(process.value.descriptor, token: 3) }
      poller.watch(signals.descriptor, token: 1)
      let hasRoom = connections.load(ordering: .acquiring) < Self.connectionLimit
      if hasRoom, isAccepting.load(ordering: .acquiring) {
        poller.watch(guest.listener.value.descriptor, token: 2)
      }
      let isWaiting = isStopping.isUp && handoffBlock != nil
      let tally = [resets.wait(at: MonotonicClock.now()), resetRetry].compactMap { $0 }.min()
      let ready = try poller.wait(timeout: isWaiting ? Self.giveUpPollInterval : tally)
      if ready.contains(0) { _ = try event.clear() }
      if ready.contains(1), let number = try signals.next() {
        log.notice("told to stop by \(SignalNumber.name(of: number))")
        isStopping.raise()
      }
      if ready.contains(3) {
        companion = .gone
        loseCompanion()
      }
      tellResets { resets.due(at: MonotonicClock.now()) }
      if isAtEnd() {
        if case .gone = companion { Self.removeEmpty(runtime) }
        return toldEnd
      }
      if isStopping.isUp {
        giveUpAt = min(giveUpAt, MonotonicClock.now() + Self.giveUpLimit)
        if handoffBlock != nil { giveUpHandoff(at: giveUpAt) }
      }
      if ready.contains(2), isAccepting.load(ordering: .acquiring) { accept() }
    }
  }

  private func loseCompanion() {
    log.notice("the process that the VM is to end with is gone")
    isStopping.raise()
    wakeLoop()
  }

  /// The path of the runtime folder, as long as the VM's own is there.
  var runtimeParts: ArraySlice<Substring> { guest.folder.value.path.split(separator: "/").dropLast() }

  /// Removes the runtime folder that was made for this VM alone.
  static func removeEmpty(_ path: ArraySlice<Substring>) {
    guard let name = path.last, let parent = try? Directory.open("/" + path.dropLast().joined(separator: "/"))
    else { return }
    // Another process of the VM may be about to clear what it has there.
    for _ in 0..<Self.removalTries where (try? parent.removeDirectory(String(name))) == nil {
      MonotonicClock.sleep(Self.acceptInterval)
    }
  }

  func stopAccepting() { isAccepting.store(false, ordering: .releasing) }

  func startAccepting() {
    isAccepting.store(true, ordering: .releasing)
    wakeLoop()
  }

  private func accept() {
    guard connections.load(ordering: .acquiring) < Self.connectionLimit else { return }
    let held: Owned<UnixSocket>
    do throws(SystemError) {
      guard let socket = try guest.listener.value.accept() else { return }
      held = Owned(socket)
    } catch {
      turnNextAway(error)
      return
    }
    connections.add(1, ordering: .acquiringAndReleasing)
    do throws(SystemError) {
      _ = try OSThread.start(name: "client", detached: true) { [self] in
        serve(held)
        connections.subtract(1, ordering: .acquiringAndReleasing)
        wakeLoop()
      }
    } catch {
      connections.subtract(1, ordering: .acquiringAndReleasing)
      turnAway(held, error)
    }
  }

  /// Takes the client that waits, for which there is no descriptor: left waiting it would wake the loop without end.
  private func turnNextAway(_ error: SystemError) {
    spare.withLock { spare in
      spare = nil
      if let socket = try? guest.listener.value.accept() {
        turnAway(Owned(socket), error)
      } else {
        // It waits on, and is to keep no processor busy.
        MonotonicClock.sleep(Self.acceptInterval)
      }
      spare = Self.anyDescriptor()
    }
  }

  private static func anyDescriptor() -> OwnedDescriptor? { try? OwnedDescriptor.open("/dev/null", .read) }

  /// What whoever asks for a handoff understands; who asks for something else gets no answer that it knows.
  private func turnAway(_ socket: Owned<UnixSocket>, _ error: any Error) {
    log.warning("a client was turned away: \(error)")
    var reason = Reason(of: error)
    if let limit = (error as? SystemError)?.raisable, let remedy = reason.remedy {
      let here = "`prlimit --pid \(Self.pid) --\(limit)=4096`"
      reason = Reason(reason.what, remedy: "\(remedy), here \(here)", code: reason.code)
    }
    try? socket.value.send(Message.refused(reason).encoded)
  }

  private static let pid = ProcessIdentity.current().pid

  private func serve(_ socket: Owned<UnixSocket>) {
    do {
      let peer = try socket.value.peer()
      guard peer.uid == Host.effectiveUserID || peer.uid == 0 else { return }
      guard
        var received = try socket.value.receive(
          limit: UnixSocket.messageLimit, maximumDescriptors: 2, timeout: Self.requestLimit)
      else { return }
      switch ControlRequest(received.bytes) {
      case .status: try socket.value.send(status().encoded)
      case .stop: stopAsked(socket)
      case .console: try showConsole(socket)
      case .files: try socket.value.send([0], descriptors: try guest.writtenFiles())
      case .pause: try socket.value.send(pause().encoded)
      case .resume: try socket.value.send(unpause().encoded)
      case nil:
        let message = try Message(decoding: received.bytes)
        try handOver(message, received.descriptors.takeAll(), socket, askedBy: peer)
      }
    } catch { turnAway(socket, error) }
  }

  /// The client needs no VMM from then on: the console's memory goes with the guest.
  private func showConsole(_ socket: Owned<UnixSocket>) throws {
    var bag = DescriptorBag()
    bag.append(try guest.console.descriptor.duplicate())
    try socket.value.send([0], descriptors: bag)
  }

  // MARK: the end

  private func stopAsked(_ socket: Owned<UnixSocket>) {
    log.notice("told to stop by a client")
    isStopping.raise()
    wakeLoop()
    // The connection ends with the process: that is the answer.
    while true {
      _ = try? socket.value.receive(limit: 16, maximumDescriptors: 0, timeout: nil)
      MonotonicClock.sleep(Self.requestLimit)
    }
  }

  /// Calls a handoff in flight off; true when there is none any more and the guest is here.
  func endHandoff(_ reason: Reason) -> Bool {
    guard let block = current.withLock({ $0 }) else { return true }
    // Said first: whoever sees the word moved tells why.
    if block.state == .none || block.state == .destVerify { block.explain(.source, reason) }
    if case .made = block.claim(.source, by: .source) {
      block.announce()
      block.ring()
    }
    return false
  }

  /// Ends a handoff that does not give the guest back, as where somebody has written over its word: the VM is to end.
  private func giveUpHandoff(at time: UInt64) {
    let now = MonotonicClock.now()
    if now < time { return }
    session.withLock { $0 }?.giveUp()
    // A successor may run the guest: what this process holds of it is not its own any more.
    guard now - time >= Self.giveUpLimit, current.withLock({ $0 })?.state != .successor else { return }
    log.error("the handoff under way does not end, and this process does without waiting for it")
    VMMProcess.leave()
  }

  /// Lets no handoff begin any more, because of the guest's end; false while there is one.
  func closeHandoffs() -> Bool {
    current.withLock { current in
      guard current == nil else { return false }
      ended.withLock { $0 = .underWay }
      return true
    }
  }

  /// Why no handoff can begin; nil where one can. A guest that is being started anew is handed over as any other: that
  /// waits for its start, at most as long as the guest may stand still.
  private func obstacle(_ current: ControlBlock?) -> Reason? {
    if isStopping.isUp { return HandoffReport.vmStops }
    if ended.withLock({ $0 }) != .no || hasEndedForGood {
      return HandoffReport.guestEnds
    }
    return current == nil
      ? nil
      : Reason(
        "another handoff is under way", remedy: "wait for it, or call it off with `fsr abort`", code: .busy)
  }

  /// Writes down what `take` takes out of the tally, if that is anything.
  func tellResets(_ take: () -> String?) {
    telling.withLock { _ in
      guard let count = take() else { return }
      log.notice("the guest was reset: \(count)")
      append(own("reset", reason: count))
    }
  }

  func append(_ record: HistoryRecord) {
    do { try record.append(in: guest.folder.value) } catch {
      log.error("cannot write the history: \(error)")
    }
  }

  /// The record of something that befell the guest here without a handoff.
  func own(_ event: String, reason: String) -> HistoryRecord {
    var record = HistoryRecord(id: "\(block.machine)", event: event)
    record.fromBuild = build
    record.fromExecutable = try? Executable.path()
    record.generation = generation
    record.reason = reason
    return record
  }

  // MARK: handing over

  private func handOver(
    _ message: Message, _ introduction: consuming DescriptorBag, _ socket: Owned<UnixSocket>,
    askedBy peer: PeerCredentials
  ) throws {
    guard case .request(let request) = message else { throw HandoffError.protocolViolation("no request") }
    var introduction = introduction
    guard let file = introduction.take(0) else {
      throw HandoffError.protocolViolation("a request without its descriptors")
    }
    let channel = try HandoffLink(UnixSocket(adopting: try socket.value.descriptor.duplicate()))
    let next = try ControlBlock(adopting: file)
    let refusal = current.withLock { current in
      let obstacle = obstacle(current)
      if obstacle == nil { current = next }
      return obstacle
    }
    if let refusal {
      try channel.send(.refused(refusal))
      return
    }
    defer {
      handoffIsOver(next)
      wakeLoop()
    }
    guard request.versions.overlaps(HandoffProtocol.versions) else {
      let error = HandoffError.noCommonProtocol(ours: HandoffProtocol.versions, theirs: request.versions)
      try channel.send(.refused(error.reason))
      return
    }
    guard isForThis(next), let blocks = try guest.folder.value.blocks(), try blocks.hasDraft(of: next) else {
      try channel.send(.refused(Reason("the request is for another VM or process, or was called off")))
      return
    }
    let plan: HandoffPlan
    do throws(HandoffError) { plan = try request.plan } catch {
      try channel.send(.refused(error.reason))
      return
    }
    next.noteAsker(pid: peer.pid, user: peer.uid)
    if let path = try? Executable.path() { next.noteExecutable(path, of: .source) }
    // Those of before stand ahead of the handoff.
    tellResets { resets.rest(at: MonotonicClock.now()) }
    log.notice("\(plan.depth == .trial ? "check" : "handoff") \(next.attempt) begins")
    let session = SourceSession(
      guest: ReferenceSource(guest: guest, vmm: self, plan: plan),
      block: next, blocks: blocks,
      coordinator: channel,
      request: request, plan: plan)
    self.session.withLock { $0 = session }
    defer { self.session.withLock { $0 = nil } }
    switch session.run() {
    case .kept: break
    case .givenUp:
      log.error(
        "handoff \(next.attempt) cannot be settled, and the VM was told to end: the guest is given up")
    case .left:
      // Those that came while it was prepared: the next VMM counts anew.
      tellResets { resets.rest(at: MonotonicClock.now()) }
      // Said before this process ends: a service whose main process ends is taken for ended.
      if let owner = next.owner { VMMProcess.tellManager("MAINPID=\(owner.pid)", log: log) }
      MemoryRelease.giveBackMemory(of: guest)
      VMMProcess.leaveToSuccessor()
    }
  }

  /// Whether a block is a new one, of this VM's next handoff.
  private func isForThis(_ next: ControlBlock) -> Bool {
    next.machine == block.machine && next.attempt > block.attempt
      && next.attempt - block.attempt <= Self.attemptLeap && next.generation == generation
      && next.identity(of: .source) == ProcessIdentity.current() && next.identity(of: .destination) == nil
      && next.state == .none && !next.isComplete && next.maxDowntime <= HandoffLimits.longest
      && next.deadline <= MonotonicClock.now() &+ HandoffLimits.longest
  }

  private var generation: UInt64 {
    let block = block
    return block.generation + (block.state == .destination ? 1 : 0)
  }

  /// The handoff came to nothing, and the guest is still here.
  func handoffEnded(_ ended: ControlBlock, reason: Reason?, depth: HandoffPlan.Depth) {
    // One that was refused before it began has named no heir, and may have been refused because of the ledger.
    if ended.time(of: .requested) != 0 { settleReservation(isKept: true) }
    dropSwapCopy()
    // A block that was never published is no block of the VM's.
    if ended.state == .resumed { newest.withLock { $0 = ended } }
    finish(ended, depth == .trial ? "check" : "handoff", from: build, to: nil, reason: reason)
    handoffIsOver(ended)
  }

  /// Lets the next one begin, if it has not.
  private func handoffIsOver(_ ended: ControlBlock) {
    current.withLock { current in if current === ended { current = nil } }
  }

  /// The guest has come here by `ended`.
  func handoffWon(_ ended: ControlBlock, fromBuild: String?) {
    guest.folder.value.markIfMissing(of: ended.machine)
    settleReservation(isKept: false)
    settleSwap()
    finish(ended, "handoff", from: fromBuild, to: build, reason: nil)
  }

  private func finish(
    _ ended: ControlBlock, _ event: String, from: String?, to: String?, reason: Reason?
  ) {
    // A guest that is paused sees no time.
    if ended.time(of: .left) != 0, !guest.threads.isPaused {
      ended.guestGap = GuestGap.measure(
        in: guest.machine, window: SoakParameters.currentWindow(in: guest.machine))
    }
    let report = HandoffReport(of: ended, vm: guest.configuration.name, reason: reason)
    append(HistoryRecord(event, of: ended, report, fromBuild: from, toBuild: to))
    log.notice(
      ended.time(of: .requested) == 0
        ? "\(event) \(ended.attempt) was refused: \(report.why ?? "no reason was given")"
        : "\(event) \(ended.attempt) ended: victor \(report.victor), \(report.why ?? "no trouble")")
    // Whoever hears of it may begin the next one at once.
    handoffIsOver(ended)
    ended.pass(.reported, at: MonotonicClock.now())
    ended.announce()
  }

  // MARK: pausing

  private func pause() -> PauseAnswer {
    // Paused since a page cannot be brought in it stands, but for vCPUs that wait for the page: they execute nothing until
    // somebody resumes it.
    var isPausedForPage: Bool { missingPage.withLock { $0 != nil } }
    var answer = guest.threads.pause(limit: isPausedForPage ? 0 : Self.requestLimit)
    if answer == .late, isPausedForPage { answer = .done }
    if answer == .done {
      guest.console.isPaused = true
      log.notice("paused by a client")
    }
    return answer
  }

  private func unpause() -> PauseAnswer {
    // Before the guest runs: what it then meets is another failure.
    let missing = missingPage.withLock { page in
      defer { page = nil }
      return page
    }
    let answer = guest.threads.unpause()
    if answer != .done { missingPage.withLock { $0 = $0 ?? missing } }
    if answer == .done {
      guest.paging?.pager.guestWasResumed()
      guest.console.isPaused = false
      log.notice("let run by a client")
    }
    return answer
  }

  // MARK: status

  private var stateOfGuest: VMStatus.State {
    if ended.withLock({ $0 }) != .no { return .ending }
    if handoffBlock != nil { return .handoff }
    if isBeingReset { return .reset }
    return guest.threads.isPaused ? .paused : .running
  }

  func status() -> VMStatus {
    var status = VMStatus(name: guest.configuration.name, state: stateOfGuest)
    status.generation = generation
    status.pid = ProcessIdentity.current().pid
    status.binary = (try? Executable.path()) ?? ""
    status.build = build
    status.memoryBytes = guest.memory.size
    status.reservedBytes = guest.configuration.reserve
    status.residentPages = (try? guest.memory.residentPages()) ?? 0
    status.paging = pagingStatus()
    if guest.configuration.nodes != nil { status.placement = MemoryPlacement(of: guest.memory) }
    status.consolePath = guest.configuration.console
    status.droppedBytes = guest.console.droppedCount
    status.vcpus = guest.cpus.map { VMStatus.VCPU(id: $0.hart, instructions: $0.instructions) }
    status.times = guest.cpus.map { cpu in
      let reading = guest.load.meters.reading(of: cpu.hart)
      return VMStatus.Time(nanoseconds: reading.ran, exits: reading.exits)
    }
    status.loadAverages = guest.load.averages
    status.ports = guest.ports.members.map {
      VMStatus.NIC($0.port, $0.counters.reading, trouble: $0.pump.trouble)
    }
    status.countedAt = MonotonicClock.now()
    status.arrival = guest.arrival.samples
    if let soak = SoakStatistics(of: guest.machine) {
      status.guest = VMStatus.Guest(
        ticks: soak.harts.map(\.ticks).reduce(0, &+), passes: soak.harts.map(\.passes).min() ?? 0,
        errors: soak.harts.map(\.errors).reduce(0, &+),
        maxGapMicroseconds: ((soak.harts.map(\.maxGapTicks).max() ?? 0) &+ 9) / 10)
    }
    status.log = guest.folder.value.path + "/" + VMFiles.log
    return status
  }
}
