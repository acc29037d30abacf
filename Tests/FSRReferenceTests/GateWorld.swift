import FSRHost
import FSRReference

/// A gate, its vCPUs, and two who close and open it: a session, which stops the guest for a handoff, and the VM's owner, who
/// pauses it, starts it anew and ends it. All that happens in one piece is one step; what each may do next leads to other
/// worlds.
struct GateWorld: Hashable, Sendable {
  /// Rules that a test leaves out, to see that the exploration notices.
  enum Sabotage: Hashable, Sendable, CaseIterable {
    case none
    /// A vCPU takes back what it was told only when it has looked at the gate.
    case clearsBehindTheLook
    /// Those who close the gate tell the vCPUs ahead of it.
    case tellsAheadOfClosing
    /// A vCPU goes to sleep without another look at the word.
    case sleepsWithoutLooking
    /// A look at the gate and what is done upon it are two steps.
    case actsOnAnEarlierLook
    case wakesNobodyOnOpening
    case wakesNobodyOnStopping
    case wakesNobodyOnRestarting
    case cancelsWhatHasBegun
    case forgetsToCancel
    case neverAsksTheFirst
  }

  /// Where the thread of a vCPU is, as in `VCPUThreads.run` and `pass`.
  enum Thread: Hashable, Sendable {
    /// A destination's first, which is let through by the resume itself.
    case leading
    case inGuest
    case coming(isStanding: Bool)
    case looking(isStanding: Bool)
    case acting(on: VCPUGate, isStanding: Bool)
    case clearing
    case fallingAsleep(UInt32)
    case asleep
    case askingFirst
    case switchingOver
    /// Tells `vcpu` and those behind it that the guest has ended.
    case tellingEnd(Int)
    case gone
  }

  /// What a session or an owner is about.
  enum Party: Hashable, Sendable {
    case idle
    /// Tells `vcpu`, and those behind it as far as they are to be told.
    case telling(Int, VCPUGate.Asked, then: Then)
    case waking(then: Then)
    case stopping, resumed, closing, parking, paused, resetting, over
  }

  /// Which of its states it comes to when all are told.
  enum Then: Hashable, Sendable { case idle, stopping, closing, parking, held, over }

  /// How often each may be done yet.
  struct Budget: Hashable, Sendable {
    var stops = 0
    var pauses = 0
    var pages = 0
    var guestEnds = 0
    var ends = 0
  }

  let sabotage: Sabotage
  var gate: VCPUGate
  var told: [Bool]
  var threads: [Thread]
  var session = Party.idle
  var owner = Party.idle
  var budget: Budget
  /// Whether there is something for the last one out to do, and how often that was done of the last stop.
  var hasBody = false
  var deeds = 0
  var isTakenBack = false

  /// - Parameter isDestination: whether the guest has not come yet, and its first vCPU's thread leads the switch.
  init(
    vcpus: Int, isFirstLast: Bool, budget: Budget, isDestination: Bool = false, sabotage: Sabotage = .none
  ) {
    self.sabotage = sabotage
    self.budget = budget
    gate = VCPUGate(vcpus: vcpus, isFirstLast: isFirstLast)
    told = Array(repeating: false, count: vcpus)
    threads = Array(repeating: .coming(isStanding: false), count: vcpus)
    if isDestination { threads[0] = .leading }
    session = .stopping
    isTakenBack = true
  }

  /// All that may come of one step of one party.
  func next() throws(Wrong) -> [GateWorld] {
    var worlds = sessionSteps() + ownerSteps()
    for vcpu in threads.indices { worlds += try threadSteps(vcpu) }
    return worlds
  }

  func after(_ change: (inout GateWorld) -> Void) -> GateWorld {
    var world = self
    change(&world)
    return world
  }

  // MARK: what holds in every world

  func check() throws(Wrong) {
    let isInside = threads.contains(.inGuest)
    if gate.stop == .begun, isInside { throw Wrong("a vCPU is in the guest while it is stopped", self) }
    if owner == .paused || owner == .resetting, isInside {
      throw Wrong("a vCPU is in a guest that is paused, or being reset", self)
    }
    if deeds > 1 { throw Wrong("two were the last one out", self) }
    if isTakenBack, deeds > 0 { throw Wrong("a stop that was taken back was done", self) }
    if isQuiet { try checkRest() }
  }

  /// Whether no thread has anything to do, and nobody is about to tell one of something.
  private var isQuiet: Bool {
    for (vcpu, thread) in threads.enumerated() {
      switch thread {
      case .inGuest: if told[vcpu] { return false }
      case .asleep, .gone: break
      case .leading, .coming, .looking, .acting, .clearing, .fallingAsleep, .askingFirst, .switchingOver,
        .tellingEnd:
        return false
      }
    }
    return [session, owner].allSatisfy {
      switch $0 {
      case .idle, .stopping, .parking, .paused, .resetting, .over: true
      case .telling, .waking, .resumed, .closing: false
      }
    }
  }

  private func checkRest() throws(Wrong) {
    if gate.isOver {
      guard threads.allSatisfy({ $0 == .gone }) else { throw Wrong("a vCPU stays for ever", self) }
    } else if gate.isOpen {
      guard threads.allSatisfy({ $0 == .inGuest }), gate.parked == 0 else {
        throw Wrong("a vCPU stands at an open gate", self)
      }
    } else {
      // The first is told last of a stop: of one that was taken back before that it hears nothing.
      let isFirstLeft = gate.isFirstLast && isTakenBack && gate.reasons == .stopped && threads[0] == .inGuest
      guard threads.dropFirst(isFirstLeft ? 1 : 0).allSatisfy({ $0 == .asleep }) else {
        throw Wrong("a vCPU was not told of a closed gate", self)
      }
      if gate.stop == .asked, !gate.reasons.contains(.ended) {
        throw Wrong("nobody was the last one out", self)
      }
    }
  }
}

/// What a world must not come to.
struct Wrong: Error, CustomStringConvertible {
  let description: String
  init(_ what: String, _ world: GateWorld) { description = "\(what): \(world)" }
}
