import FSRHandoff

/// What must come of a crash point, by the rules of the failure model: not read off what the program does.
struct CrashForecast: Equatable {
  enum Owner: String { case source, destination, successor, lost }

  /// Who has the guest when all who were stopped have gone on and a recovery has looked.
  let owner: Owner
  /// How `fsr handoff` ends; nil where it is killed.
  let exitCode: Int32?

  var generation: Double { owner == .source ? 1 : 2 }

  init(_ point: CrashPoint) {
    let (owner, code) = Self.judge(point)
    self.owner = owner
    let isCoordinatorKilled = point.fault(of: .coordinator)?.kind == .kill
    exitCode = isCoordinatorKilled ? nil : code
  }

  /// Whether the fault, if there is one, comes at `step` or before it.
  private static func isUp(_ fault: FaultPlan.Fault?, to step: String, of party: Party) -> Bool {
    let steps = FaultPlan.steps(of: party)
    guard let fault, let at = steps.firstIndex(of: fault.step), let limit = steps.firstIndex(of: step) else {
      return false
    }
    return at <= limit
  }

  private static func judge(_ point: CrashPoint) -> (Owner, Int32) {
    let source = point.fault(of: .source)
    let destination = point.fault(of: .destination)
    let coordinator = point.fault(of: .coordinator)

    // Until the source is asked nothing has begun.
    if isUp(coordinator, to: "request", of: .coordinator), coordinator?.kind == .kill { return (.source, 0) }

    // Until complete the vCPUs' state exists in the source alone.
    if isUp(source, to: "complete", of: .source), let source {
      if source.kind == .kill { return (.lost, 6) }
      // It goes on when it wakes. Until then nobody runs; before it has taken the request, nothing has begun.
      return (.source, source.step == "publishBlock" ? 3 : 5)
    }
    // Without the coordinator's copies, or its death, the source does not stun.
    if isUp(coordinator, to: "acknowledge", of: .coordinator), coordinator?.kind == .stop,
      !isUp(coordinator, to: "request", of: .coordinator)
    {
      return (.source, 4)
    }
    return afterPreparation(source, destination, coordinator)
  }

  private static func afterPreparation(
    _ source: FaultPlan.Fault?, _ destination: FaultPlan.Fault?, _ coordinator: FaultPlan.Fault?
  ) -> (Owner, Int32) {
    if !isUp(destination, to: "claimDestination", of: .destination) || destination == nil {
      // The word is the destination's. Its death is a crash like any other.
      guard let destination, destination.step != "release", destination.step != "park",
        destination.step != "leave"
      else { return (.destination, 0) }
      if destination.kind == .kill { return (.lost, 6) }
      return (.destination, destination.step == "resume" ? 5 : 0)
    }
    guard let destination else { return (.destination, 0) }
    // The destination cannot win, and the source lives and goes back.
    guard let source else { return (.source, 4) }
    let backwards = ["claimSource", "fence", "takeBack", "claimResumed", "resume", "reap", "report", "keep"]
    if let at = backwards.firstIndex(of: source.step) {
      // Before the word is the source's, whoever has copies goes on, and fences a source that hangs.
      if at <= 3 { return (.successor, 0) }
      // After it the source's death is a crash.
      if source.kind == .kill { return (.lost, 6) }
      return (.source, source.step == "resume" ? 5 : 4)
    }
    // Both are out from the complete checkpoint on: whoever has the copies goes on.
    guard let coordinator, coordinator.kind == .kill else { return (.successor, 0) }
    if destination.kind == .kill { return (.lost, 6) }
    // The destination wakes, and has copies itself.
    return coordinator.step == "startSuccessor" ? (.successor, 0) : (.destination, 0)
  }
}
