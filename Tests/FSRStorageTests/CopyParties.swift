import FSRStorage
import FSRSystem

/// A copy in the making, the source that wakes it or calls it off, a guest that writes meanwhile, and a disk that may
/// fail at any moment: what `MirrorModel` says nothing of is who may go on when.
struct CopyParties: Hashable {
  enum Source: Hashable, CaseIterable {
    /// Nothing is decided yet.
    case deciding
    /// The guest stands, and the copy was asked for.
    case waiting
    /// It is called off; the mirror is not off yet.
    case callingOff
    /// The guest runs on here.
    case goesOn
    /// The copy is another's.
    case gone
  }

  /// Whether the source waits until the copy sleeps before it wakes it.
  let sourceIsPatient: Bool
  var helper = CopyHelper()
  var source = Source.deciding
  var mirrorIsOn = false
  var isWhole = false
  var inFlight = 0
  var writesLeft = 2
  var guestStands = false
  var isWoken = false
  var wakeIsTaken = false
  /// It was woken before it slept.
  var wasEarly = false
  var isCancelled = false
  var diskFails = false

  init(sourceIsPatient: Bool) { self.sourceIsPatient = sourceIsPatient }

  private func stepping(_ change: (inout CopyParties) -> Void) -> CopyParties {
    var next = self
    change(&next)
    return next
  }

  func successors() -> [CopyParties] { progress() + disturbances() }

  /// What comes by itself, or ends the handoff.
  private func progress() -> [CopyParties] {
    var next = helperSteps()
    if inFlight > 0 { next.append(stepping { $0.inFlight -= 1 }) }
    switch source {
    case .deciding:
      if helper.state == .sleeping || !sourceIsPatient {
        next.append(
          stepping {
            $0.guestStands = true
            $0.isWoken = true
            $0.source = .waiting
          })
      }
      if !helper.isAlive { next.append(stepping { $0.source = .callingOff }) }
    case .waiting:
      if helper.state == .exited {
        next.append(stepping { $0.source = $0.helper.isCopied ? .gone : .callingOff })
      }
    case .callingOff:
      if helper.state == .exited {
        next.append(
          stepping {
            $0.source = .goesOn
            $0.guestStands = false
          })
      }
    case .goesOn, .gone: break
    }
    return next
  }

  private func helperSteps() -> [CopyParties] {
    var next: [CopyParties] = []
    if isCancelled, helper.isAlive { next.append(stepping { $0.helper.take(.failed(.cancelled)) }) }
    if isWoken, !wakeIsTaken {
      next.append(
        stepping {
          $0.wakeIsTaken = true
          $0.wasEarly = [.starting, .inProgress, .done].contains($0.helper.state)
          $0.helper.take(.wake)
        })
    }
    if diskFails {
      if helper.isAlive {
        next.append(stepping { $0.helper.take(.failed(.copy(SystemError("pwrite", errno: 5)))) })
      }
    } else {
      switch helper.state {
      case .starting:
        next.append(
          stepping {
            $0.mirrorIsOn = true
            $0.helper.take(.stands)
          })
      case .inProgress:
        next.append(
          stepping {
            $0.isWhole = true
            $0.helper.take(.copied)
          })
      case .done: next.append(stepping { $0.helper.take(.settled) })
      case .sleeping, .stunning, .failed, .exited: break
      }
    }
    if inFlight == 0, helper.state == .stunning || helper.state == .failed {
      next.append(
        stepping {
          $0.mirrorIsOn = false
          $0.helper.take(.drained)
        })
    }
    return next
  }

  private func disturbances() -> [CopyParties] {
    var next: [CopyParties] = []
    if !diskFails { next.append(stepping { $0.diskFails = true }) }
    // An abort, or a deadline.
    if source == .deciding || source == .waiting {
      next.append(
        stepping {
          $0.isCancelled = true
          $0.source = .callingOff
        })
    }
    if !guestStands, writesLeft > 0 {
      next.append(
        stepping {
          $0.writesLeft -= 1
          if $0.mirrorIsOn, $0.helper.isAlive { $0.inFlight += 1 }
        })
    }
    return next
  }

  /// What is wrong; nil where nothing is.
  func violation() -> String? {
    if source == .goesOn, mirrorIsOn { return "the source goes on while its mirror stands" }
    if source == .gone, !helper.isCopied || !guestStands {
      return "a copy is taken while the guest runs, or that is none"
    }
    if helper.isCopied {
      if !isWhole { return "copied before all was" }
      if inFlight > 0 || mirrorIsOn { return "copied with the mirror on, or a write in flight" }
      if wasEarly { return "woken early, and copied all the same" }
    }
    if helper.state == .exited, mirrorIsOn { return "exited with the mirror on" }
    if wasEarly, helper.isAlive { return "woken early, and alive" }
    if progress().isEmpty, source != .goesOn, source != .gone {
      // Nobody has to decide.
      if source != .deciding { return "the source waits for ever" }
    }
    return nil
  }
}
