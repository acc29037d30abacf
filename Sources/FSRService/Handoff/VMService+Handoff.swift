internal import FSRHandoff
internal import FSRHost
internal import FSRState
internal import FSRSystem

/// How a VM's process hands its guest over, and what it does once that has ended.
extension VMService {
  /// Why no handoff can begin; nil where one can. A guest that is being started anew is handed over as any other: that
  /// waits for its start, at most as long as the guest may stand still.
  private var obstacle: Reason? {
    if isStopping.isUp { return HandoffReport.vmStops }
    if restart.hasEndedForGood { return HandoffReport.guestEnds }
    return nil
  }

  func handOver(
    _ message: Message, _ introduction: consuming DescriptorBag, _ socket: Owned<UnixSocket>,
    askedBy peer: PeerCredentials
  ) throws {
    guard case .request(let request) = message else { throw HandoffError.protocolViolation("no request") }
    var introduction = introduction
    guard let file = introduction.take(0) else {
      throw HandoffError.protocolViolation("a request without its descriptors")
    }
    let link = try HandoffLink(UnixSocket(adopting: try socket.value.descriptor.duplicate()))
    let next = try ControlBlock(adopting: file)
    if let refusal = ownership.begin(next, unless: { obstacle }) {
      try link.send(.refused(refusal))
      return
    }
    defer {
      ownership.end(next)
      wakeLoop()
    }
    guard request.versions.overlaps(HandoffProtocol.versions) else {
      let error = HandoffError.noCommonProtocol(ours: HandoffProtocol.versions, theirs: request.versions)
      try link.send(.refused(error.reason))
      return
    }
    guard ownership.isNext(next), let blocks = try context.folder.value.blocks(),
      try blocks.hasDraft(of: next)
    else {
      try link.send(.refused(Reason("the request is for another VM or process, or was called off")))
      return
    }
    let plan: HandoffPlan
    let guest: any GuestSource
    do {
      plan = try request.plan
      guest = try vm.source(for: plan)
    } catch {
      try link.send(.refused(Reason(of: error)))
      return
    }
    next.noteAsker(pid: peer.pid, user: peer.uid)
    if let path = try? Executable.path() { next.noteExecutable(path, of: .source) }
    // Those of before stand ahead of the handoff.
    history.tellAllResets()
    log.notice("\(plan.depth == .trial ? "check" : "handoff") \(next.attempt) begins")
    let session = SourceSession(
      guest: ServedSource(guest, of: self, depth: plan.depth), block: next, blocks: blocks,
      coordinator: link, request: request, plan: plan, limits: limits)
    ownership.note { session.giveUp() }
    switch session.run() {
    case .kept: break
    case .givenUp:
      log.error(
        "handoff \(next.attempt) cannot be settled, and the VM was told to end: the guest is given up")
    case .left: leave(to: next.owner)
    }
  }

  /// The guest is elsewhere, and so is the VM.
  private func leave(to owner: ProcessIdentity?) {
    // Those that came while it was prepared: the next VMM counts anew.
    history.tellAllResets()
    // Said before this process ends: a service whose main process ends is taken for ended.
    if let owner { ServiceManager.tell("MAINPID=\(owner.pid)", log: log) }
    MemoryRelease.giveBackMemory(of: vm)
    ServiceProcess.leaveToSuccessor()
  }

  // MARK: what follows

  /// The handoff came to nothing, and the guest is still here.
  func handoffCameToNothing(_ block: ControlBlock, because reason: Reason?, depth: HandoffPlan.Depth) {
    // One that was refused before it began has named no heir, and may have been refused because of the ledger.
    if block.time(of: .requested) != 0 { reservation.settle(isKept: true) }
    vm.handoffCameToNothing()
    // A block that was never published is no block of the VM's.
    if block.state == .resumed { ownership.keep(block) }
    finish(block, depth == .trial ? "check" : "handoff", from: build, to: nil, reason: reason)
  }

  /// The guest has come here by `block`.
  func handoffWon(_ block: ControlBlock, fromBuild: String?) {
    context.folder.value.markIfMissing(of: block.machine)
    reservation.settle(isKept: false)
    vm.cameHere()
    finish(block, "handoff", from: fromBuild, to: build, reason: nil)
  }

  private func finish(
    _ block: ControlBlock, _ event: String, from: String?, to: String?, reason: Reason?
  ) {
    if block.time(of: .left) != 0 { block.guestGap = (vm as? any GapMeasuringVM)?.measureGap() }
    let report = HandoffReport(of: block, vm: vm.facts.name, reason: reason)
    history.append(HistoryRecord(event, of: block, report, fromBuild: from, toBuild: to))
    log.notice(
      block.time(of: .requested) == 0
        ? "\(event) \(block.attempt) was refused: \(report.why ?? "no reason was given")"
        : "\(event) \(block.attempt) ended: victor \(report.victor), \(report.why ?? "no trouble")")
    // Whoever hears of it may begin the next one at once.
    ownership.end(block)
    block.pass(.reported, at: MonotonicClock.now())
    block.announce()
  }
}
