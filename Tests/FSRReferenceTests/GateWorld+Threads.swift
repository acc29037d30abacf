import FSRReference

/// What the threads of vCPUs do, as in `VCPUThreads.run` and `pass`.
extension GateWorld {
  func threadSteps(_ vcpu: Int) throws(Wrong) -> [GateWorld] {
    func to(_ thread: Thread) -> [GateWorld] { [after { $0.threads[vcpu] = thread }] }
    switch threads[vcpu] {
    case .leading:
      // Until the resume it is in the switch; then it goes in, or to the gate where the guest comes paused.
      guard !gate.reasons.contains(.stopped) else { return [] }
      return to(gate.isPaused ? .coming(isStanding: false) : .inGuest)
    case .inGuest: return inGuest(vcpu)
    case .coming(let isStanding):
      if sabotage == .clearsBehindTheLook { return to(.looking(isStanding: isStanding)) }
      return [
        after {
          $0.told[vcpu] = false
          $0.threads[vcpu] = .looking(isStanding: isStanding)
        }
      ]
    case .looking(let isStanding):
      if sabotage == .actsOnAnEarlierLook { return to(.acting(on: gate, isStanding: isStanding)) }
      return [after { $0.look(vcpu, at: gate, isStanding) }]
    case .acting(let seen, let isStanding): return [after { $0.look(vcpu, at: seen, isStanding) }]
    case .clearing:
      return [
        after {
          $0.told[vcpu] = false
          $0.threads[vcpu] = .inGuest
        }
      ]
    case .fallingAsleep(let word):
      return to(gate.word == word || sabotage == .sleepsWithoutLooking ? .asleep : .coming(isStanding: true))
    case .asleep, .gone: return []
    case .askingFirst:
      return [
        after {
          if sabotage != .neverAsksTheFirst { $0.told[0] = true }
          $0.threads[vcpu] = .coming(isStanding: true)
        }
      ]
    case .switchingOver:
      if !hasBody { throw Wrong("there is nothing to be done", self) }
      return [
        after {
          $0.hasBody = false
          $0.deeds += 1
          $0.threads[vcpu] = .coming(isStanding: true)
        }
      ]
    case .tellingEnd(let other):
      return [
        after {
          $0.told[other] = true
          $0.threads[vcpu] =
            other + 1 < told.count ? .tellingEnd(other + 1) : .coming(isStanding: false)
        }
      ]
    }
  }

  private func inGuest(_ vcpu: Int) -> [GateWorld] {
    var worlds: [GateWorld] = []
    if told[vcpu] { worlds.append(after { $0.threads[vcpu] = .coming(isStanding: false) }) }
    if budget.guestEnds > 0 {
      worlds.append(
        after {
          $0.budget.guestEnds -= 1
          $0.gate.guestHasEnded()
          $0.threads[vcpu] = .tellingEnd(0)
        })
    }
    return worlds
  }

  private mutating func look(_ vcpu: Int, at seen: VCPUGate, _ isStanding: Bool) {
    gate = seen
    switch isStanding ? gate.look(vcpu) : gate.arrive(vcpu) {
    case .enter: threads[vcpu] = sabotage == .clearsBehindTheLook ? .clearing : .inGuest
    case .wait: threads[vcpu] = .fallingAsleep(gate.word)
    case .askFirst: threads[vcpu] = .askingFirst
    case .switchOver: threads[vcpu] = .switchingOver
    case .leave: threads[vcpu] = .gone
    }
  }
}
