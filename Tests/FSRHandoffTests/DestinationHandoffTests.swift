import FSRHandoff
import Testing

@Suite struct DestinationHandoffTests {
  typealias Kind = DestinationHandoff.Kind

  /// What follows a step: done, failed, and the word found elsewhere.
  struct Row {
    let step: DestinationStep
    let done: DestinationStep
    let failed: DestinationStep
    let found: DestinationStep

    init(
      _ step: DestinationStep, _ done: DestinationStep, _ failed: DestinationStep, _ found: DestinationStep
    ) {
      self.step = step
      self.done = done
      self.failed = failed
      self.found = found
    }
  }

  static func table(_ kind: Kind) -> [Row] {
    let isSuccessor = kind == .successor
    return [
      Row(.negotiate, .prepare, .release, .release),
      Row(.prepare, isSuccessor ? .fence : .awaitComplete, .release, .release),
      Row(.awaitComplete, .claimVerify, .release, .release),
      Row(.claimVerify, .fence, .release, .release),
      // A successor is the last hope: what must come before running is tried again until it comes.
      Row(.fence, .takeStorage, isSuccessor ? .fence : .giveBack, .release),
      Row(.takeStorage, .verify, isSuccessor ? .takeStorage : .giveBack, .release),
      Row(.verify, .claimDestination, .giveBack, .release),
      Row(.claimDestination, .resume, .giveBack, .release),
      Row(.resume, .reap, .reap, .reap),
      Row(.reap, .publish, .publish, .publish),
      Row(.publish, .keep, .keep, .keep),
      Row(.giveBack, .release, .release, .release),
      Row(.release, .park, .park, .park),
      Row(.park, .leave, .leave, .leave),
    ]
  }

  static let outcomes: [StepOutcome] = [.done, .failed] + ResumeState.allCases.map { .found($0) }

  @Test(arguments: [Kind.handoff, Kind.successor])
  func everyPairOfStepAndOutcomeGoesByTheTable(_ kind: Kind) {
    var seen: Set<DestinationHandoff> = [DestinationHandoff(kind)]
    var frontier = Array(seen)
    while let machine = frontier.popLast() {
      guard let row = Self.table(kind).first(where: { $0.step == machine.step }) else { continue }
      for outcome in Self.outcomes {
        var next = machine
        let answer = next.next(after: outcome)
        let due =
          switch outcome {
          case .done: row.done
          case .failed: row.failed
          case .found: row.found
          }
        #expect(answer == due, "\(machine.step) after \(outcome)")
        #expect(next.kind == kind)
        if seen.insert(next).inserted { frontier.append(next) }
      }
    }
    let missing: Set<DestinationStep> = kind == .successor ? [.awaitComplete, .claimVerify] : []
    #expect(Set(seen.map(\.step)) == Set(DestinationStep.allCases).subtracting(missing))
  }

  @Test func aGoodHandoffTakesTheStepsInTheirOrder() {
    var machine = DestinationHandoff(.handoff)
    var steps = [machine.step]
    while machine.step != .keep { steps.append(machine.next(after: .done)) }
    #expect(steps == Array(DestinationStep.allCases.prefix(12)))
  }

  @Test func nothingFollowsTheEnd() async {
    await #expect(processExitsWith: .failure) {
      var machine = DestinationHandoff(.handoff)
      while machine.step != .leave { _ = machine.next(after: .failed) }
      _ = machine.next(after: .done)
    }
  }

  // MARK: over a word that others move

  struct World: Hashable {
    var machine: DestinationHandoff
    var word: ResumeState
    var isComplete: Bool
  }

  static func steps(_ world: World) -> [World] {
    func after(_ outcome: StepOutcome, word: ResumeState? = nil) -> World {
      var next = world
      _ = next.machine.next(after: outcome)
      next.word = word ?? world.word
      return next
    }
    func claim(_ new: ResumeState) -> World {
      ResumeWord.allows(world.word, to: new, by: .destination)
        ? after(.done, word: new) : after(.found(world.word))
    }
    switch world.machine.step {
    case .negotiate, .prepare, .verify: return [after(.done), after(.failed)]
    case .awaitComplete:
      if world.isComplete { return [after(.done)] }
      return world.word == .none ? [after(.failed)] : [after(.failed), after(.found(world.word))]
    case .claimVerify: return [claim(.destVerify)]
    case .fence, .takeStorage:
      return [after(.done), after(.failed)] + (world.word == .destVerify ? [] : [after(.found(world.word))])
    case .claimDestination: return [claim(.destination)]
    case .giveBack:
      return world.machine.kind == .successor ? [after(.failed)] : [claim(.source), after(.failed)]
    case .resume, .reap, .publish, .release: return [after(.done)]
    case .park: return world.word.isTerminal ? [after(.done)] : []
    case .keep, .leave: return []
    }
  }

  static func others(_ world: World) -> [World] {
    var worlds = ResumeState.allCases.filter { new in
      [.source, .coordinator].contains { ResumeWord.allows(world.word, to: new, by: $0) }
    }.map { World(machine: world.machine, word: $0, isComplete: world.isComplete) }
    if !world.isComplete, world.word == .none {
      worlds.append(World(machine: world.machine, word: .none, isComplete: true))
    }
    return worlds
  }

  static func worlds(_ kind: Kind) -> Set<World> {
    let isSuccessor = kind == .successor
    var seen: Set<World> = [
      World(
        machine: DestinationHandoff(kind), word: isSuccessor ? .destVerify : .none, isComplete: isSuccessor)
    ]
    var frontier = Array(seen)
    while let world = frontier.popLast() {
      for next in steps(world) + others(world) where seen.insert(next).inserted { frontier.append(next) }
    }
    return seen
  }

  @Test(arguments: [Kind.handoff, Kind.successor])
  func itRunsOnlyWhatTheWordGivesIt(_ kind: Kind) {
    for world in Self.worlds(kind) {
      switch world.machine.step {
      case .resume, .reap, .publish, .keep:
        #expect(world.word == .destination && world.isComplete)
      case .leave: #expect(world.word.isTerminal && world.word != .destination)
      case .negotiate, .prepare, .awaitComplete, .claimVerify, .fence, .takeStorage, .verify,
        .claimDestination, .giveBack, .release, .park:
        #expect(world.word != .destination)
      }
    }
  }

  @Test(arguments: [Kind.handoff, Kind.successor])
  func itVerifiesBeforeItClaimsAndReleasesBeforeItLeaves(_ kind: Kind) {
    for world in Self.worlds(kind) {
      for next in Self.steps(world) where next.machine.step != world.machine.step {
        let before = world.machine.step
        switch next.machine.step {
        case .claimVerify: #expect(before == .awaitComplete && world.isComplete)
        case .takeStorage: #expect(before == .fence)
        case .verify: #expect(before == .takeStorage)
        case .claimDestination: #expect(before == .verify)
        case .resume: #expect(before == .claimDestination && next.word == .destination)
        case .park: #expect(before == .release)
        case .leave: #expect(before == .park)
        default: break
        }
      }
    }
  }

  @Test func aSuccessorNeverGivesTheGuestToADeadSource() {
    for world in Self.worlds(.successor) where world.machine.step == .giveBack {
      #expect(Self.steps(world).allSatisfy { $0.word == world.word })
    }
  }
}
