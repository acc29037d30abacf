import FSRHandoff
import Testing

@Suite struct CoordinatorTests {
  /// What follows a step that does not look: after it was done, and after it failed. Nil where it cannot end so.
  static func expected(_ machine: Coordinator, done: Bool) -> CoordinatorStep? {
    switch machine.step {
    case .lock: done ? (machine.purpose == .handoff ? .settle : .gather) : .finish
    case .settle: done ? .createBlock : .finish
    case .createBlock: done ? .request : .finish
    case .request: done ? .takeCopies : .finish
    case .takeCopies: done ? .acknowledge : .watch
    case .acknowledge: .watch
    case .gather: done ? .watch : .finish
    case .revoke: .watch
    case .succeed: done ? .startSuccessor : .watch
    case .startSuccessor: .watch
    case .reapLosers: .finish
    // Only a recovery leaves a handoff to itself.
    case .watch: !done && machine.purpose == .recovery ? .finish : nil
    case .finish: nil
    }
  }

  /// Everything that a look can show.
  static let observations = looks(isCorrupt: false)
  /// The same over a word that somebody has written over.
  static let corrupt = looks(isCorrupt: true)

  private static func looks(isCorrupt: Bool) -> [Observation] {
    var all: [Observation] = []
    let lives: [Liveness] = [.alive, .hung, .gone]
    for source in lives {
      for destination in lives {
        for word in ResumeState.allCases {
          for bits in 0..<32 {
            all.append(
              Observation(
                source: source, destination: destination, destinationReleased: bits & 1 != 0,
                isComplete: bits & 2 != 0, word: word, isCorrupt: isCorrupt, hasEntered: bits & 4 != 0,
                holdsCopies: bits & 8 != 0,
                isToStop: bits & 16 != 0))
          }
        }
      }
    }
    return all
  }

  static func watching(_ purpose: Coordinator.Purpose = .handoff, successors: Int = 0) -> Coordinator {
    var machine = Coordinator(purpose)
    while machine.step != .watch { _ = machine.next(after: .done) }
    let claimed = Observation(
      source: .gone, destination: .gone, isComplete: true, word: .successor, holdsCopies: true)
    for _ in 0..<successors {
      _ = machine.next(after: .saw(claimed))
      _ = machine.next(after: .done)
    }
    return machine
  }

  static func seeing(_ seen: Observation, successors: Int = 0) -> Coordinator {
    var machine = watching(successors: successors)
    _ = machine.next(after: .saw(seen))
    return machine
  }

  @Test(arguments: [Coordinator.Purpose.handoff, .recovery])
  func everyPairOfStepAndEventGoesByTheTable(_ purpose: Coordinator.Purpose) {
    var seen: Set<Coordinator> = [Coordinator(purpose)]
    var frontier = Array(seen)
    func visit(_ machine: Coordinator) { if seen.insert(machine).inserted { frontier.append(machine) } }
    while let machine = frontier.popLast() {
      for done in [true, false] {
        guard let due = Self.expected(machine, done: done) else { continue }
        var next = machine
        let answer = next.next(after: done ? .done : .failed)
        #expect(answer == due, "\(machine.step), done: \(done)")
        visit(next)
      }
      if machine.step == .revoke || machine.step == .succeed {
        for state in ResumeState.allCases {
          var next = machine
          let answer = next.next(after: .found(state))
          #expect(answer == .watch)
          visit(next)
        }
      }
      guard machine.step == .watch else { continue }
      for observation in Self.observations {
        var next = machine
        _ = next.next(after: .saw(observation))
        visit(next)
      }
    }
    let others: Set<CoordinatorStep> =
      purpose == .handoff ? [.gather] : [.settle, .createBlock, .request, .takeCopies, .acknowledge]
    #expect(Set(seen.map(\.step)) == Set(CoordinatorStep.allCases).subtracting(others))
    #expect(seen.allSatisfy { $0.successors <= Coordinator.successorLimit })
  }

  @Test func aFailureBeforeTheRequestIsARefusal() {
    for steps in 0..<4 {
      var machine = Coordinator(.handoff)
      for _ in 0..<steps { _ = machine.next(after: .done) }
      let answer = machine.next(after: .failed)
      #expect(answer == .finish)
      #expect(machine.end == .refused)
    }
  }

  @Test func aSourceThatDiesOfTheRequestIsLost() {
    for seen in Self.observations {
      var machine = Coordinator(.handoff)
      while machine.step != .request { _ = machine.next(after: .done) }
      let answer = machine.next(after: .saw(seen))
      #expect(answer == (seen.source == .gone ? .reapLosers : .finish))
      #expect(machine.end == (seen.source == .gone ? .lost : .refused))
    }
  }

  @Test func whatIsCalledOffBeforeTheSourceTakesItUpIsTheSources() {
    var machine = Coordinator(.handoff)
    while machine.step != .request { _ = machine.next(after: .done) }
    let answer = machine.next(after: .found(.source))
    #expect(answer == .finish)
    #expect(machine.end == .source)
  }

  @Test func itClaimsOnlyAlongTheEdges() {
    for seen in Self.observations {
      switch Self.seeing(seen).step {
      case .revoke: #expect(ResumeWord.allows(seen.word, to: .source, by: .coordinator))
      case .succeed:
        #expect(ResumeWord.allows(seen.word, to: .successor, by: .coordinator))
        #expect(seen.isComplete || seen.word == .destVerify)
        #expect(seen.source != .alive)
        #expect(seen.holdsCopies)
      case .startSuccessor: #expect(seen.word == .successor && seen.holdsCopies)
      case .watch, .reapLosers, .finish: break
      default: Issue.record("\(seen) leads to \(Self.seeing(seen).step)")
      }
    }
  }

  @Test func itTakesTheGuestFromNobodyWhoCanWin() {
    for seen in Self.observations where Self.seeing(seen).step == .succeed {
      let canDestinationWin = seen.destination == .alive && !seen.destinationReleased
      if seen.word == .none || seen.word == .destVerify { #expect(!canDestinationWin) }
    }
  }

  @Test func aDestinationThatVerifiesForADeadSourceIsNotRevoked() {
    for seen in Self.observations where seen.word == .destVerify && seen.source != .alive {
      #expect(Self.seeing(seen).step != .revoke)
    }
  }

  @Test func itCallsNobodyLostWhoseGuestStillExists() {
    for seen in Self.observations {
      let machine = Self.seeing(seen)
      guard [.reapLosers, .finish].contains(machine.step), machine.end == .lost else { continue }
      switch seen.word {
      case .none, .source, .destVerify:
        #expect(seen.source == .gone)
        // With a checkpoint, whoever lives or holds copies has the guest's memory.
        if seen.isComplete { #expect(seen.destination == .gone && !seen.holdsCopies) }
      case .resumed: #expect(seen.source == .gone)
      case .destination: #expect(seen.destination == .gone)
      // Whoever claimed it died before it had started one, with its copies.
      case .successor: #expect(seen.source == .gone && seen.destination == .gone && !seen.holdsCopies)
      }
    }
  }

  @Test func itSaysThatOneRunsOnlyWhenTheWordSaysSo() {
    for seen in Self.observations {
      let machine = Self.seeing(seen)
      guard [.reapLosers, .finish].contains(machine.step) else { continue }
      switch machine.end {
      case .source: #expect(seen.word == .resumed && seen.source != .gone && seen.hasEntered)
      case .destination: #expect(seen.word == .destination && seen.destination != .gone && seen.hasEntered)
      case .stunned, .lost: break
      case .refused: Issue.record("nothing is refused after the request: \(seen)")
      }
    }
  }

  @Test func itStopsAWatchedHandoffWhenItIsTold() {
    for seen in Self.observations where seen.isToStop && !seen.word.isTerminal {
      // A living source is the one thing that may still have to act; it does without help.
      if seen.source == .alive && seen.word == .source { continue }
      let canWinAlone = seen.source != .alive && seen.destination == .alive && !seen.destinationReleased
      if canWinAlone && (seen.isComplete || seen.word == .destVerify) { continue }
      #expect(Self.seeing(seen).step != .watch, "\(seen)")
    }
  }

  @Test func overAWordThatIsWrittenOverItClaimsNothing() {
    for seen in Self.corrupt {
      #expect(![.revoke, .succeed].contains(Self.seeing(seen).step), "\(seen)")
    }
  }

  @Test func aVictorGoesOnWhoseWordIsWrittenOver() {
    for (seen, before) in zip(Self.corrupt, Self.observations) where seen.word.isDecided {
      #expect(Self.seeing(seen) == Self.seeing(before))
    }
  }

  @Test func aWordThatIsWrittenOverEndsItsWatchInTime() {
    for seen in Self.corrupt where !seen.word.isDecided {
      let machine = Self.seeing(seen)
      let isLost = seen.source == .gone && (!seen.isComplete || seen.destination == .gone)
      // Before complete a source that lives puts it right.
      let isAwaited = !seen.isToStop || seen.source == .alive && !seen.isComplete
      if isLost {
        #expect(machine.step == .reapLosers && machine.end == .lost, "\(seen)")
      } else if isAwaited {
        #expect(machine.step == .watch, "\(seen)")
      } else {
        #expect(machine.step == .finish && machine.end == .stunned, "\(seen)")
      }
    }
  }

  @Test func afterTheLastSuccessorTheGuestIsLeftToAPerson() {
    let limit = Coordinator.successorLimit
    for seen in Self.observations {
      let machine = Self.seeing(seen, successors: limit)
      #expect(machine.step != .succeed && machine.step != .startSuccessor)
      if seen.word == .successor {
        // The coordinator's own copies end with it.
        let isHeld = seen.source != .gone || seen.destination != .gone
        #expect(machine.step == .finish && machine.end == (isHeld ? .stunned : .lost))
      }
    }
  }

  @Test func aVictorThatDiesInTheBurialIsLost() {
    let seen = Observation(
      source: .gone, destination: .alive, isComplete: true, word: .destination, hasEntered: true,
      holdsCopies: true)
    var machine = Self.seeing(seen)
    #expect(machine.step == .reapLosers && machine.end == .destination)
    let answer = machine.next(after: .failed)
    #expect(answer == .finish)
    #expect(machine.end == .lost)
  }

  @Test func aLookBelongsToTheWatchAlone() async {
    await #expect(processExitsWith: .failure) {
      var machine = Coordinator(.handoff)
      _ = machine.next(after: .found(.source))
    }
  }
}
