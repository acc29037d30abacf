import FSRHandoff

/// A fault at one step of one party, with those that make the step happen.
struct CrashPoint: Hashable, CustomStringConvertible {
  let faults: [String]

  var description: String { faults.joined(separator: ",") }

  var plan: FaultPlan {
    guard let plan = FaultPlan(description) else { preconditionFailure("\(self) is no plan") }
    return plan
  }

  /// The fault of `party`: at most one is of interest, the last.
  func fault(of party: Party) -> FaultPlan.Fault? { plan.faults.last { $0.party == party } }

  /// Steps that no handoff of `fsr handoff` reaches.
  static let unreachable: Set<String> = [
    // A recovery's: `fsr recover` takes no faults.
    "coordinator:gather",
    // Comes only after a checkpoint that cannot be loaded; `BrokenCheckpointTests` reaches it.
    "destination:giveBack",
    // Of a handoff that copies a swap file; `MirrorCrashTests` reaches them.
    "source:precopy-starting", "source:precopy-copying", "source:precopy-settling",
  ]

  /// What else has to happen for a good handoff to come to this step.
  private static func companions(_ party: Party, _ step: String) -> [String] {
    switch (party, step) {
    // The source's way back to the guest, with a coordinator that does not take the decision from it.
    case (.source, "claimSource"), (.source, "fence"), (.source, "takeBack"), (.source, "claimResumed"),
      (.source, "resume"), (.source, "reap"), (.source, "report"), (.source, "keep"):
      ["coordinator:watch:stop", "destination:verify:kill"]
    // A destination that loses alive: the source calls it off while it waits for the coordinator's copies.
    case (.destination, "release"), (.destination, "park"), (.destination, "leave"):
      ["coordinator:takeCopies:stop"]
    case (.coordinator, "revoke"): ["source:awaitPrepared:stop"]
    case (.coordinator, "succeed"), (.coordinator, "startSuccessor"):
      ["source:race:kill", "destination:verify:kill"]
    default: []
    }
  }

  /// The fault at `step`, with those that make it happen.
  init(_ party: Party, _ step: String, _ kind: FaultPlan.Kind) {
    self.init(faults: Self.companions(party, step) + ["\(party):\(step):\(kind.rawValue)"])
  }

  init(faults: [String]) { self.faults = faults }

  /// Every step of every party, killed and stopped.
  static let steps: [CrashPoint] = Party.allCases.flatMap { party in
    FaultPlan.steps(of: party).filter { !unreachable.contains("\(party):\($0)") }.flatMap { step in
      FaultPlan.Kind.allCases.map { kind in
        CrashPoint(party, step, kind)
      }
    }
  }

  /// Pairs of deaths after the checkpoint is complete, which the guest survives.
  static let pairs: [CrashPoint] = [
    ["source:race:kill", "destination:claimVerify:kill"],
    ["source:race:kill", "destination:claimDestination:kill"],
    ["source:race:stop", "destination:verify:kill"],
    ["source:race:kill", "destination:verify:stop"],
    ["source:race:kill", "coordinator:watch:kill"],
    ["coordinator:watch:kill", "destination:verify:kill"],
    ["source:race:kill", "destination:verify:stop", "coordinator:succeed:kill"],
    ["source:race:kill", "destination:verify:stop", "coordinator:startSuccessor:kill"],
  ].map(CrashPoint.init(faults:))
}
