public import FSRState
public import FSRSystem

/// Why a handoff was refused, called off or could not be settled.
public enum HandoffError: Reasoned {
  case system(SystemError)
  case state(StateError)
  /// A control block that is no control block, or not of this VM.
  case badBlock(String)
  /// A message that the protocol has no place for here.
  case protocolViolation(String)
  /// The destination's bytes are no message of the protocol.
  case noVMM(String)
  /// The peer said no, in its own words.
  case refused(Reason)
  /// The peer is gone.
  case peerGone(Party)
  /// Something was not done in time.
  case deadline(String)
  /// The source and the destination have no protocol version in common.
  case noCommonProtocol(ours: ClosedRange<UInt16>, theirs: ClosedRange<UInt16>)
  /// A section that the destination cannot read.
  case sectionUnknown(String)
  /// Somebody asked for the end of the handoff.
  case aborted
  /// A trial came as far as it was to.
  case tried
  /// A process that is not the one it should be: a wrapper that forked, or a pid used anew.
  case wrongProcess(expected: Int32, was: Int32)

  public var reason: Reason {
    switch self {
    case .system(let error): error.reason
    case .state(let error): Reason("\(error)")
    case .badBlock(let why): Reason("the control block is unusable: \(why)")
    case .protocolViolation(let what): Reason("the peer broke the protocol: \(what)")
    case .noVMM(let what):
      Reason("the destination does not speak the protocol (\(what))", remedy: "name a VMM with --to")
    case .refused(let reason): reason
    case .peerGone(.destination):
      Reason(
        "the destination ended before it was prepared",
        remedy: "see the VM's log for its last words, or name a VMM with --to")
    case .peerGone(let party): Reason("the \(party) is gone")
    case .deadline(let what): Reason("\(what) took longer than allowed")
    case .noCommonProtocol(let ours, let theirs):
      Reason(
        "no common protocol version: \(ours.lowerBound)…\(ours.upperBound) here, "
          + "\(theirs.lowerBound)…\(theirs.upperBound) there", remedy: "use a build between the two",
        code: .version)
    case .sectionUnknown(let name):
      Reason(
        "the destination cannot read section '\(name)'", remedy: "use a build that can", code: .version)
    case .aborted: Reason("somebody asked for it", code: .aborted)
    case .tried: Reason("it was a trial, and nothing stood in its way", code: .tried)
    case .wrongProcess(let expected, let was):
      Reason(
        "process \(was) answers where \(expected) was started",
        remedy: "name the VMM itself, not a wrapper that forks")
    }
  }
}

extension HandoffError {
  /// What is said of a control block that cannot be used: of `self` where it is that, else nil.
  public func unusableBlock(of name: String) -> HandoffError? {
    guard case .badBlock(let why) = self else { return nil }
    return .refused(
      Reason(
        "the newest control block of \(name) is unusable: \(why)", remedy: "`fsr stop \(name)` ends the VM"))
  }

  /// Of a VM whose control socket somebody has removed: it runs on.
  public static func socketIsGone(of name: String) -> HandoffError {
    .refused(
      Reason(
        "somebody has removed the control socket of \(name) (control.sock in its folder), so that its VMM, which runs on, "
          + "can be asked nothing", remedy: "`fsr stop \(name)` ends the VM"))
  }

  /// What an error on the channel to a destination says of that.
  var ofDestination: HandoffError {
    switch self {
    case .state(let error): .noVMM("\(error)")
    // It has left, maybe without reading what was sent to it.
    case .system(let error): error.isBrokenPipe ? .peerGone(.destination) : self
    case .badBlock, .protocolViolation, .noVMM, .refused, .peerGone, .deadline, .noCommonProtocol,
      .sectionUnknown, .aborted, .tried, .wrongProcess:
      self
    }
  }
}
