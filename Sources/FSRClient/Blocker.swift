public import FSRHandoff
public import FSRSystem

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

    /// Nil for what is in no handoff's way: it ended otherwise.
    init?(_ code: ReasonCode) {
      switch code {
      case .version: self = .version
      case .rights: self = .rights
      case .limits: self = .limits
      case .headroom: self = .headroom
      case .locks: self = .locks
      case .deadline: self = .deadline
      case .writers: self = .writers
      case .descriptor: self = .descriptor
      case .swap: self = .swap
      case .page: self = .page
      case .busy: self = .busy
      case .unsettled: self = .unsettled
      case .guestEnded: self = .source
      case .tried, .aborted, .interrupted, .stopping, .lost, .neverStarted, .unsupported: return nil
      }
    }
  }

  public let code: Code
  /// One sentence.
  public let what: String
  /// What to do about it.
  public let remedy: String
  /// Of the reason; nil where it has none.
  public private(set) var reasonCode: ReasonCode?

  private enum CodingKeys: CodingKey { case code, what, remedy }

  public init(_ code: Code, _ reason: Reason) {
    self.code = code
    what = reason.what
    reasonCode = reason.code
    remedy = reason.remedy ?? Self.remedy(for: code)
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
  ///   - block: the handoff's own, where one was made.
  ///   - reason: as it was told; nil where nobody has said one.
  public init?(_ reason: Reason?, block: ControlBlock?) {
    if let block, block.time(of: .stunned) != 0 { return nil }
    let said = [reason?.code] + [Party.source, .destination].map { block?.reason(of: $0)?.code }
    let code: Code?
    if let known = said.lazy.compactMap({ $0 }).first {
      code = Code(known)
    } else {
      code = Self.place(in: block)
    }
    guard let code else { return nil }
    self.init(code, reason ?? Reason("no reason was given"))
  }

  /// Of what has no code of its own: how far the handoff has come says who was in its way.
  private static func place(in block: ControlBlock?) -> Code? {
    guard let block, block.time(of: .requested) != 0 else { return .source }
    if block.time(of: .prepared) != 0 { return nil }
    if block.deadline <= MonotonicClock.now() { return .deadline }
    if block.time(of: .negotiated) != 0 { return .preparation }
    return block.time(of: .started) == 0 ? .start : .destination
  }
}
