import FSRHost
import FSRReference

/// What a session and an owner do, as in `VCPUThreads+Stopping`.
extension GateWorld {
  func sessionSteps() -> [GateWorld] {
    switch session {
    case .idle:
      // A guest that was never stopped is resumed as well: that changes nothing.
      guard budget.stops > 0 else { return [] }
      return [
        after {
          $0.budget.stops -= 1
          ($0.hasBody, $0.deeds, $0.isTakenBack) = (true, 0, false)
          let asked = $0.gate.askToStop()
          $0.session = .telling(0, asked, then: .stopping)
        }
      ]
    case .telling(let vcpu, let asked, let then): return [tell(\.session, vcpu, asked, then)]
    case .waking(let then): return [wake(\.session, then, unless: .wakesNobodyOnOpening)]
    case .stopping:
      // What was begun is waited for; else it may be taken back at any moment.
      if isTakenBack || deeds > 0 {
        return [
          after {
            $0.gate.resume()
            $0.deeds = 0
            $0.session = .resumed
          }
        ]
      }
      return [after { $0.cancel() }]
    case .resumed: return [wake(\.session, .idle, unless: .wakesNobodyOnOpening)]
    case .closing, .parking, .paused, .resetting, .over: return []
    }
  }

  private mutating func cancel() {
    let before = gate.stop
    var isCancelled = gate.cancelStop()
    if sabotage == .cancelsWhatHasBegun, before == .begun { isCancelled = true }
    if sabotage == .forgetsToCancel, isCancelled { _ = gate.askToStop() }
    guard isCancelled else { return }
    isTakenBack = true
  }

  func ownerSteps() -> [GateWorld] {
    switch owner {
    case .idle: return beginnings()
    case .telling(let vcpu, let asked, let then): return [tell(\.owner, vcpu, asked, then)]
    case .waking(let then):
      return [
        wake(
          \.owner, then, unless: then == .held ? .wakesNobodyOnRestarting : .wakesNobodyOnOpening)
      ]
    case .closing: return [after { $0.owner = $0.gate.pause() == nil ? .parking : .idle }]
    case .parking:
      // It is over: nobody waits any longer. Else they stand, or it takes too long.
      var worlds = [
        after {
          $0.gate.forgoPause()
          $0.owner = .waking(then: .idle)
        }
      ]
      if gate.areAllParked { worlds.append(after { $0.owner = .paused }) }
      return worlds
    case .paused:
      return [
        after {
          if $0.gate.unpause() == nil { $0.owner = .waking(then: .idle) }
        }
      ]
    case .resetting:
      return [
        after {
          $0.gate.restart()
          $0.owner = .waking(then: .held)
        }
      ]
    case .stopping, .resumed, .over: return []
    }
  }

  private func beginnings() -> [GateWorld] {
    var worlds: [GateWorld] = []
    let all: VCPUGate.Asked = [.first, .others]
    if budget.pauses > 0 {
      worlds.append(
        after {
          $0.budget.pauses -= 1
          if sabotage == .tellsAheadOfClosing {
            $0.owner = .telling(0, all, then: .closing)
          } else if $0.gate.pause() == nil {
            $0.owner = .telling(0, all, then: .parking)
          }
        })
    }
    if budget.pages > 0 {
      worlds.append(
        after {
          $0.budget.pages -= 1
          $0.gate.pauseForPage()
          $0.owner = .telling(0, all, then: .idle)
        })
    } else if gate.reasons.contains(.page) {
      worlds.append(after { if $0.gate.unpause() == nil { $0.owner = .waking(then: .idle) } })
    }
    if gate.reasons.contains(.ended), gate.areAllParked { worlds.append(after { $0.owner = .resetting }) }
    if budget.ends > 0 {
      worlds.append(
        after {
          $0.budget.ends -= 1
          $0.gate.end()
          $0.owner = .telling(0, all.union(.standing), then: .over)
        })
    }
    return worlds
  }

  /// Tells one vCPU that is to be told, or goes on to those that stand.
  private func tell(
    _ party: WritableKeyPath<GateWorld, Party>, _ vcpu: Int, _ asked: VCPUGate.Asked, _ then: Then
  ) -> GateWorld {
    after { world in
      if vcpu < threads.count {
        if asked.contains(vcpu == 0 ? .first : .others) { world.told[vcpu] = true }
        world[keyPath: party] = .telling(vcpu + 1, asked, then: then)
      } else {
        if asked.contains(.standing), sabotage != .wakesNobodyOnStopping { world.wakeSleepers() }
        world[keyPath: party] = Self.party(then)
      }
    }
  }

  private func wake(
    _ party: WritableKeyPath<GateWorld, Party>, _ then: Then, unless mistake: Sabotage
  ) -> GateWorld {
    after { world in
      if sabotage != mistake { world.wakeSleepers() }
      world[keyPath: party] = Self.party(then)
    }
  }

  private static func party(_ then: Then) -> Party {
    switch then {
    case .idle, .held: .idle
    case .stopping: .stopping
    case .closing: .closing
    case .parking: .parking
    case .over: .over
    }
  }

  private mutating func wakeSleepers() {
    for vcpu in threads.indices where threads[vcpu] == .asleep { threads[vcpu] = .coming(isStanding: true) }
  }
}
