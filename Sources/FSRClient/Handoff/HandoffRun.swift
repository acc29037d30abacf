public import FSRHandoff
public import FSRHost
public import FSRSystem

/// One handoff or recovery, as it has ended: who runs the guest, and what there is to say of it.
public struct HandoffRun: Sendable {
  public let end: HandoffEnd
  /// What the newest block says; nil where nothing was begun.
  public let report: HandoffReport?
  /// Its timeline; nil where nothing was begun.
  public let trace: HandoffTrace?
  /// Nil where there is nothing to say.
  public let reason: Reason?
  /// What stood in its way while the guest ran on.
  public let blocker: Blocker?
  /// Whether the caller called it off.
  public let isInterrupted: Bool
  /// The parties that hang, where nobody runs the guest.
  public let culprits: [String]
  /// Whether nobody can tell any more who may run the guest: somebody has written over the word.
  public let isCorrupt: Bool
  /// The process that owns the VM now.
  public let owner: Int32?
  /// Whether it was a trial by a source of a build that has no code for one that passes: it came to the last step of a
  /// trial, and nobody had a reason to end it there.
  let isFormerTrial: Bool

  /// Whether all that comes before the stun went well, and no more was wanted.
  public var hasPassedTrial: Bool { end == .source && (code == .tried || isFormerTrial) }

  /// The code of why it ended so.
  public var code: ReasonCode? { report?.reason?.code ?? reason?.code }

  /// Whether it was called off because the VM, or its guest, came to its end.
  public var endsWithVM: Bool { code.map(HandoffReport.isEndOfVM) ?? false }

  /// Why it ended so, in words that are always there.
  public var why: String {
    let known = report?.reason ?? reason
    return known?.description ?? (end == .lost ? Self.ownerIsGone : "no reason was given")
  }

  static let ownerIsGone = "the process that owned it is gone"
}
