public import FSRHandoff
internal import FSRSystem

/// Something that stands in a handoff's way while the guest runs on untouched.
public struct Blocker: Codable, Equatable, Sendable {
  public enum Code: String, Codable, CaseIterable, Sendable {
    /// The destination's executable cannot be one.
    case executable
    /// Another coordinator is at work.
    case busy
    /// An earlier handoff is not brought to its end.
    case unsettled
    /// The VMM does not take the request.
    case source
    /// The destination cannot be started.
    case start
    /// The destination is no VMM that can be talked to.
    case destination
    /// The two builds have no protocol or no state section in common.
    case version
    /// The destination cannot get ready to run this guest.
    case preparation
    /// It took longer than the caller allows.
    case deadline
    /// The guest would stand still for longer than is allowed.
    case downtime
    /// A capability or a permission is missing.
    case rights
    /// A limit of the process is too low.
    case limits
    /// The host has too little of something.
    case headroom
    /// Another process holds what must be held alone.
    case locks
    /// Another process has a file open for writing that goes with the VM.
    case writers
    /// The destination could not use a descriptor that goes with the VM.
    case descriptor
    /// A swap file cannot be used as it was asked for.
    case swap
    /// The guest waits for a page of its memory that cannot be brought in.
    case page

    init(_ refusal: RefusalCode) {
      self =
        switch refusal {
        case .version: .version
        case .rights: .rights
        case .limits: .limits
        case .headroom: .headroom
        case .locks: .locks
        case .deadline: .deadline
        case .writers: .writers
        case .descriptor: .descriptor
        case .swap: .swap
        case .page: .page
        case .busy: .busy
        }
    }
  }

  public let code: Code
  /// One sentence.
  public let what: String
  /// What to do about it.
  public let remedy: String

  /// - Parameter text: what it is, and behind a semicolon what to do about it, if it says that.
  public init(_ code: Code, _ text: String) {
    self.code = code
    let parts = text.split(separator: "; ", maxSplits: 1)
    what = parts.first.map(String.init) ?? "no reason was given"
    remedy = parts.count > 1 ? String(parts[1]) : Self.remedy(for: code)
  }

  private static func remedy(for code: Code) -> String {
    switch code {
    case .executable: "name an executable VMM of this machine with --to"
    case .busy: "wait until the other one has ended, or call it off with `fsr abort`"
    case .unsettled: "run `fsr recover`"
    case .source:
      "see the VM's log, and try again; a VMM of a build that knows no checks is handed over without one"
    case .start:
      "see that the file can be executed, and that limits on processes and descriptors leave room"
    case .destination: "name a VMM with --to; the VM's log has what it said last"
    case .version: "use a build between the two"
    case .preparation: "see the VM's log for what the destination lacks: memory, descriptors or rights"
    case .deadline: "allow more with --timeout"
    case .downtime: "allow more with --max-downtime"
    case .rights: "give the running VMM the right that is named; the new one inherits what it has"
    case .limits: "raise the limit of the running VMM with prlimit(1); the new one inherits it"
    case .headroom: "free what is named, or ask for less"
    case .locks: "wait for the process that holds it, or end it"
    case .writers: "end the process that is named, or wait until it has closed the file"
    case .descriptor: "see the VM's log; a VM that is stopped can be started without it"
    case .swap: "name another file with --swap-file, or mend that one"
    case .page: "mend what is named, then `fsr resume`"
    }
  }

  /// What a handoff or a trial that has ended ran into before the guest was stopped; nil where it did not.
  ///
  /// - Parameters:
  ///   - obstacle: what the coordinator found by itself.
  ///   - block: the handoff's own, where one was made.
  ///   - refusal: the code that came with the reason.
  public init?(
    obstacle: CoordinatorSession.Obstacle?, block: ControlBlock?, reason: String, refusal: RefusalCode? = nil
  ) {
    let code: Code
    switch obstacle {
    case .busy: code = .busy
    case .unsettled, .leftover: code = .unsettled
    // Not in the way: there is no guest to hand over.
    case .lost, .neverStarted: return nil
    case nil:
      if let block, block.time(of: .stunned) != 0 { return nil }
      if let told = refusal ?? block?.refusalCode(of: .source) ?? block?.refusalCode(of: .destination) {
        code = Code(told)
        break
      }
      guard let block, block.time(of: .requested) != 0 else {
        code = .source
        break
      }
      if block.time(of: .prepared) != 0 { return nil }
      if block.deadline <= MonotonicClock.now() {
        code = .deadline
      } else if block.time(of: .negotiated) != 0 {
        code = .preparation
      } else if block.time(of: .started) == 0 {
        code = .start
      } else {
        code = reason.hasPrefix(HandoffError.refusalPrefix) ? .version : .destination
      }
    }
    self.init(code, reason)
  }
}
