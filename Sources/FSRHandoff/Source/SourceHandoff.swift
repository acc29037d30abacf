/// The source's half of a handoff, without any deed: a step's outcome in, the next step out.
///
/// The session performs `step` and feeds what came of it to `next`, until `step` is `keep` or `leave`.
public struct SourceHandoff: Hashable, Sendable {
  /// What is to be done now.
  public private(set) var step: SourceStep = .publishBlock
  /// Whether vCPUs may have been stopped, so that going on means fencing and starting them.
  public private(set) var isStunned = false
  /// Whether the checkpoint was said to be complete: from then on only the word counts.
  public private(set) var isComplete = false

  /// Whether the block has its name: others find it, and watch it.
  public private(set) var isPublished = false

  public init() {}

  /// Whether the guest is stopped and nobody may run it.
  var isStandingStill: Bool {
    switch step {
    case .race, .claimSource, .fence, .takeBack, .claimResumed: isStunned
    case .publishBlock, .startDestination, .negotiate, .sendManifest, .awaitPrepared, .precopy, .quiesce,
      .stun,
      .saveCheckpoint, .releaseStorage, .complete, .wake, .resume, .reap, .report, .keep, .release, .park,
      .leave:
      false
    }
  }

  /// Takes the outcome of the current step and answers the next one.
  public mutating func next(after outcome: StepOutcome) -> SourceStep {
    switch (step, outcome) {
    case (.publishBlock, .done): isPublished = true
    // A stun that failed may have stopped some; one that found the word moved has not begun.
    case (.stun, .done), (.stun, .failed): isStunned = true
    case (.complete, .done), (.complete, .failed): isComplete = true
    case (_, _): break
    }
    step = following(outcome)
    return step
  }

  private func following(_ outcome: StepOutcome) -> SourceStep {
    switch step {
    case .publishBlock: preparing(outcome, then: .startDestination, otherwise: .keep)
    case .startDestination: preparing(outcome, then: .negotiate)
    case .negotiate: preparing(outcome, then: .sendManifest)
    case .sendManifest: preparing(outcome, then: .awaitPrepared)
    case .awaitPrepared: preparing(outcome, then: .precopy)
    case .precopy: preparing(outcome, then: .quiesce)
    case .quiesce: preparing(outcome, then: .stun)
    case .stun: preparing(outcome, then: .saveCheckpoint)
    case .saveCheckpoint: preparing(outcome, then: .releaseStorage)
    case .releaseStorage: preparing(outcome, then: .complete)
    case .complete: afterComplete(outcome, then: .wake)
    case .wake: afterComplete(outcome, then: .race)
    case .race: raced(outcome)
    case .claimSource: claimed(outcome)
    case .fence: retrying(outcome, then: .takeBack)
    case .takeBack: retrying(outcome, then: .claimResumed)
    case .claimResumed: resumed(outcome)
    case .resume: always(outcome, then: .reap)
    case .reap: always(outcome, then: .report)
    case .report: always(outcome, then: .keep)
    case .release: always(outcome, then: .park)
    case .park: always(outcome, then: .leave)
    case .keep, .leave: over(outcome)
    }
  }

  /// Before complete: a failure calls the handoff off, through the word all the same.
  private func preparing(
    _ outcome: StepOutcome, then next: SourceStep, otherwise: SourceStep = .claimSource
  ) -> SourceStep {
    switch outcome {
    case .done: next
    case .failed: otherwise
    case .found(let state): moved(to: state)
    }
  }

  /// `complete` and `wake` cannot be taken back: whatever became of them, the word says what follows.
  private func afterComplete(_ outcome: StepOutcome, then next: SourceStep) -> SourceStep {
    switch outcome {
    case .done, .failed: next
    case .found(let state): moved(to: state)
    }
  }

  private func raced(_ outcome: StepOutcome) -> SourceStep {
    switch outcome {
    case .failed: .claimSource
    case .found(let state): moved(to: state)
    case .done: preconditionFailure("a race ends with a state or a deadline")
    }
  }

  private func claimed(_ outcome: StepOutcome) -> SourceStep {
    switch outcome {
    case .done: moved(to: .source)
    case .found(let state): moved(to: state)
    case .failed: .claimSource
    }
  }

  /// What must come before running is tried again until it comes, or the word says that it need not.
  private func retrying(_ outcome: StepOutcome, then next: SourceStep) -> SourceStep {
    switch outcome {
    case .done: next
    case .failed: step
    case .found(let state): moved(to: state)
    }
  }

  private func resumed(_ outcome: StepOutcome) -> SourceStep {
    switch outcome {
    case .done: isStunned ? .resume : .reap
    case .found(let state): moved(to: state)
    case .failed: .claimResumed
    }
  }

  /// After the word is terminal nothing can fail any more that would change who runs.
  private func always(_ outcome: StepOutcome, then next: SourceStep) -> SourceStep {
    switch outcome {
    case .done, .failed, .found: next
    }
  }

  private func over(_ outcome: StepOutcome) -> SourceStep {
    switch outcome {
    case .done, .failed, .found: preconditionFailure("nothing follows \(step)")
    }
  }

  /// Where the word leads, whoever moved it.
  private func moved(to state: ResumeState) -> SourceStep {
    switch state {
    case .none, .destVerify: isComplete ? .race : .claimSource
    // A guest that was never stopped needs no fence: without a complete checkpoint nobody else can run it.
    case .source: isStunned ? .fence : .claimResumed
    // `resumed` is this source's own to claim. One that finds it has claimed nothing: it is not fenced, and does not run.
    case .destination, .successor, .resumed: .release
    }
  }
}
