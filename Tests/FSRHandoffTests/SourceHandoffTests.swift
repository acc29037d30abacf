import FSRHandoff
import Testing

@Suite struct SourceHandoffTests {
  /// What follows a step: after it was done, after it failed, and after it found the word moved.
  struct Row {
    let step: SourceStep
    /// Nil where the step cannot end so.
    let done: SourceStep?
    let failed: SourceStep?
    let found: Found

    enum Found {
      case wherever(SourceStep)
      case whereTheWordLeads
    }
  }

  static let table: [Row] = [
    Row(step: .publishBlock, done: .startDestination, failed: .keep, found: .whereTheWordLeads),
    Row(step: .startDestination, done: .negotiate, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .negotiate, done: .sendManifest, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .sendManifest, done: .awaitPrepared, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .awaitPrepared, done: .precopy, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .precopy, done: .quiesce, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .quiesce, done: .stun, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .stun, done: .saveCheckpoint, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .saveCheckpoint, done: .releaseStorage, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .releaseStorage, done: .complete, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .complete, done: .wake, failed: .wake, found: .whereTheWordLeads),
    Row(step: .wake, done: .race, failed: .race, found: .whereTheWordLeads),
    Row(step: .race, done: nil, failed: .claimSource, found: .whereTheWordLeads),
    // Done means that the word says `source` now, which leads where it leads when found so.
    Row(step: .claimSource, done: nil, failed: .claimSource, found: .whereTheWordLeads),
    Row(step: .fence, done: .takeBack, failed: .fence, found: .whereTheWordLeads),
    Row(step: .takeBack, done: .claimResumed, failed: .takeBack, found: .whereTheWordLeads),
    Row(step: .claimResumed, done: nil, failed: .claimResumed, found: .whereTheWordLeads),
    Row(step: .resume, done: .reap, failed: .reap, found: .wherever(.reap)),
    Row(step: .reap, done: .report, failed: .report, found: .wherever(.report)),
    Row(step: .report, done: .keep, failed: .keep, found: .wherever(.keep)),
    Row(step: .release, done: .park, failed: .park, found: .wherever(.park)),
    Row(step: .park, done: .leave, failed: .leave, found: .wherever(.leave)),
  ]

  /// Where the word leads a source in `machine`'s situation.
  static func led(_ state: ResumeState, _ machine: SourceHandoff) -> SourceStep? {
    switch state {
    case .none, .destVerify: machine.isComplete ? .race : .claimSource
    case .source: machine.isStunned ? .fence : .claimResumed
    // That it may run is its own to say: found so, it is somebody's scribbling, over whatever was there.
    case .destination, .successor, .resumed: .release
    }
  }

  static func expected(_ machine: SourceHandoff, _ outcome: StepOutcome) -> SourceStep? {
    guard let row = table.first(where: { $0.step == machine.step }) else { return nil }
    switch (outcome, machine.step) {
    case (.done, .claimSource): return led(.source, machine)
    case (.done, .claimResumed): return machine.isStunned ? .resume : .reap
    case (.done, _): return row.done
    case (.failed, _): return row.failed
    case (.found(let state), _):
      switch row.found {
      case .wherever(let step): return step
      case .whereTheWordLeads: return led(state, machine)
      }
    }
  }

  static let outcomes: [StepOutcome] = [.done, .failed] + ResumeState.allCases.map { .found($0) }

  /// Every machine that any outcomes lead to.
  static func reachable() -> Set<SourceHandoff> {
    var seen: Set<SourceHandoff> = [SourceHandoff()]
    var frontier = Array(seen)
    while let machine = frontier.popLast() {
      for outcome in outcomes where expected(machine, outcome) != nil {
        var next = machine
        _ = next.next(after: outcome)
        if seen.insert(next).inserted { frontier.append(next) }
      }
    }
    return seen
  }

  @Test func everyPairOfStepAndOutcomeGoesByTheTable() {
    let machines = Self.reachable()
    #expect(Set(machines.map(\.step)) == Set(SourceStep.allCases))
    for machine in machines {
      for outcome in Self.outcomes {
        guard let step = Self.expected(machine, outcome) else { continue }
        var next = machine
        let answer = next.next(after: outcome)
        #expect(answer == step, "\(machine.step) after \(outcome)")
        #expect(next.step == answer)
        // What was is never forgotten.
        #expect(next.isStunned || !machine.isStunned)
        #expect(next.isComplete || !machine.isComplete)
      }
    }
  }

  @Test func aGoodHandoffTakesTheStepsInTheirOrder() {
    var machine = SourceHandoff()
    var steps = [machine.step]
    while machine.step != .leave {
      steps.append(machine.next(after: machine.step == .race ? .found(.destination) : .done))
    }
    #expect(Array(steps.prefix(12)) == Array(SourceStep.allCases.prefix(12)))
    #expect(Array(steps.suffix(3)) == [.release, .park, .leave])
    #expect(machine.isComplete && machine.isStunned)
  }

  @Test func nothingFollowsTheEnd() async {
    await #expect(processExitsWith: .failure) {
      var machine = SourceHandoff()
      _ = machine.next(after: .failed)
      _ = machine.next(after: .done)
    }
  }

  @Test func nobodyRunsByAResumedThatItHasNotClaimed() {
    for machine in Self.reachable() {
      var next = machine
      guard Self.expected(machine, .found(.resumed)) == .release else { continue }
      let step = next.next(after: .found(.resumed))
      #expect(step == .release, "\(machine)")
    }
  }

  // MARK: over a word that others move

  struct World: Hashable {
    var machine = SourceHandoff()
    var word = ResumeState.none
  }

  /// The worlds after a step of the source.
  static func steps(_ world: World) -> [World] {
    func after(_ outcome: StepOutcome, word: ResumeState? = nil) -> World {
      var next = world
      _ = next.machine.next(after: outcome)
      next.word = word ?? world.word
      return next
    }
    func claim(_ new: ResumeState) -> World {
      ResumeWord.allows(world.word, to: new, by: .source)
        ? after(.done, word: new) : after(.found(world.word))
    }
    switch world.machine.step {
    case .claimSource: return [claim(.source)]
    case .claimResumed: return [claim(.resumed)]
    case .race: return [after(.failed)] + (world.word == .none ? [] : [after(.found(world.word))])
    case .fence, .takeBack:
      return [after(.done), after(.failed)] + (world.word == .source ? [] : [after(.found(world.word))])
    case .publishBlock, .startDestination, .negotiate, .sendManifest, .awaitPrepared, .precopy, .quiesce,
      .stun,
      .saveCheckpoint, .releaseStorage, .complete, .wake:
      return [after(.done), after(.failed)] + (world.word == .none ? [] : [after(.found(world.word))])
    case .resume, .reap, .report, .release: return [after(.done)]
    case .park: return world.word.isTerminal && world.word != .resumed ? [after(.done)] : []
    case .keep, .leave: return []
    }
  }

  /// The worlds after a step of anybody else: only from a complete checkpoint can others go on.
  static func others(_ world: World) -> [World] {
    ResumeState.allCases.filter { new in
      let isAllowed = [.destination, .coordinator].contains { ResumeWord.allows(world.word, to: new, by: $0) }
      return isAllowed && (new == .source || world.machine.isComplete)
    }.map { World(machine: world.machine, word: $0) }
  }

  static func worlds() -> Set<World> {
    var seen: Set<World> = [World()]
    var frontier = Array(seen)
    while let world = frontier.popLast() {
      for next in steps(world) + others(world) where seen.insert(next).inserted { frontier.append(next) }
    }
    return seen
  }

  @Test func itRunsOrKeepsOnlyWhatTheWordGivesIt() {
    for world in Self.worlds() {
      switch world.machine.step {
      case .resume, .reap, .report: #expect(world.word == .resumed)
      case .keep: #expect(world.word == .resumed || !world.machine.isStunned)
      case .leave: #expect(world.word == .destination || world.word == .successor)
      case .release, .park: #expect(world.word == .destination || world.word == .successor)
      case .publishBlock, .startDestination, .negotiate, .sendManifest, .awaitPrepared, .precopy, .quiesce,
        .stun,
        .saveCheckpoint, .releaseStorage, .complete, .wake, .race, .claimSource, .fence, .takeBack,
        .claimResumed:
        #expect(world.word != .resumed)
      }
    }
  }

  @Test func itFencesBeforeAStunnedGuestRuns() {
    for world in Self.worlds() {
      for next in Self.steps(world) where next.machine.step != world.machine.step {
        if next.machine.step == .takeBack { #expect(world.machine.step == .fence) }
        if next.machine.step == .claimResumed, world.machine.isStunned {
          #expect(world.machine.step == .takeBack)
        }
        if next.machine.step == .resume { #expect(world.machine.step == .claimResumed) }
        if next.machine.step == .leave { #expect(world.machine.step == .park) }
        if next.machine.step == .park { #expect(world.machine.step == .release) }
      }
    }
  }

  @Test func itStunsOnlyWhenPreparedAndCompletesOnlyWhenSaved() {
    for world in Self.worlds() {
      for next in Self.steps(world) where next.machine.step != world.machine.step {
        switch next.machine.step {
        case .precopy: #expect(world.machine.step == .awaitPrepared)
        case .quiesce: #expect(world.machine.step == .precopy)
        case .stun: #expect(world.machine.step == .quiesce)
        case .saveCheckpoint: #expect(world.machine.step == .stun)
        case .complete: #expect(world.machine.step == .releaseStorage)
        default: break
        }
      }
    }
  }

  @Test func fromEverywhereItCanComeToAnEnd() {
    var ends = Self.worlds().filter { [.keep, .leave].contains($0.machine.step) }
    let all = Self.worlds()
    while true {
      let more = all.filter { world in
        !ends.contains(world) && (Self.steps(world) + Self.others(world)).contains { ends.contains($0) }
      }
      if more.isEmpty { break }
      ends.formUnion(more)
    }
    #expect(ends == all)
  }
}
