internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// A handoff or recovery by a command: shown to a person, called off by a signal, and its end as an exit code.
extension HandoffRun {
  /// Coordinates it; draws how far it is, and makes way for the guest.
  ///
  /// - Throws: as `perform`.
  static func show(
    _ purpose: Coordinator.Purpose, on folder: borrowing VMFolder,
    options: CoordinatorSession.Options = CoordinatorSession.Options(), _ limits: HandoffLimits,
    _ interruption: Interruption
  ) throws -> HandoffRun {
    let progress = HandoffProgress(of: folder.name)
    defer { progress.clear() }
    return try perform(
      purpose, on: folder, options: options, limits: limits,
      observer: HandoffObserver(
        interruption: { interruption.hasCome ? interruption.name : nil }, look: { progress.show($0) }),
      makingWay: true)
  }

  /// What to do where it was called off by the end of the VM, or of its guest.
  func remedyForEnd(of name: String) -> String {
    code == .guestEnded
      ? "; `fsr history \(name)` tells how, and `fsr stop \(name)` clears up" : ""
  }

  /// `why`, with what to do about it where that is known.
  private var sentence: String {
    // What is known of a VMM that turns a handoff away is what it says.
    guard let blocker, blocker.code != .source else { return why }
    return blocker.sentence
  }

  /// The exit code for it, with the sentence; nil for a guest that runs on the destination.
  ///
  /// - Parameter target: the new VMM, as ` to build … (…)`; empty where that is of no interest.
  func failure(vm name: String, to target: String = "") -> Failure? {
    switch end {
    case .destination: nil
    case .refused:
      Failure(.refused, "\(name) was not handed over\(target), its guest is untouched: \(sentence)")
    case .source where endsWithVM:
      Failure(.calledOff, "the handoff of \(name)\(target) was called off: \(why)\(remedyForEnd(of: name))")
    case .source:
      Failure(.calledOff, "the handoff of \(name)\(target) was called off, the source runs: \(sentence)")
    case .stunned where isCorrupt:
      Failure(.stunned, "nobody runs \(name): \(why); `fsr stop \(name)` ends the VM")
    case .stunned:
      Failure(
        .stunned,
        "nobody runs \(name)\(target.isEmpty ? "" : " after its handoff\(target)"): "
          + ([why] + culprits).joined(separator: "; ")
          + "; \(culprits.isEmpty ? "run" : "then run") `fsr recover \(name)`")
    case .lost: Failure(.lost, "\(name) is lost: \(why); `fsr stop \(name)` clears up")
    }
  }
}

extension Blocker {
  /// What it is, and what to do about it.
  var sentence: String { "\(what); \(remedy)" }
}
