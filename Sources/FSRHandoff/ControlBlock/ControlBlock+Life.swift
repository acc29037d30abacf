public import FSRSystem

/// What a look at a process showed. Who cannot look has seen nobody's end.
public enum LifeSign: Equatable, Sendable {
  case lives
  case gone
  /// Why it cannot be told.
  case unknown(Reason)
}

extension LifeSign {
  /// Of a process whose number is of `namespace`.
  public init(of identity: ProcessIdentity, in namespace: PIDNamespace) {
    guard namespace.isOwn else {
      self = .unknown(
        Reason(
          "process \(identity.pid) is of another PID namespace, and cannot be seen from this one",
          remedy: "run this where the VM was started, as with `nsenter --target PID --pid`", code: .rights))
      return
    }
    guard !identity.hasOtherClocks else {
      self = .unknown(
        Reason(
          "process \(identity.pid) is of another time namespace, and its clocks are not those of this one",
          remedy: "run this where the VM was started, as with `nsenter --target \(identity.pid) --time`",
          code: .rights))
      return
    }
    do throws(SystemError) {
      guard let process = try ProcessDescriptor.open(identity) else {
        self = .gone
        return
      }
      self = try process.hasExited() ? .gone : .lives
    } catch { self = .unknown(error.reason) }
  }
}

extension ControlBlock {
  /// Whether any process of `party` lives; nil where the block names none.
  public func life(of party: Party) -> LifeSign? {
    let namespace = namespace(of: party)
    let signs = identities(of: party).map { LifeSign(of: $0, in: namespace) }
    return signs.first { $0 == .lives } ?? signs.first { $0 != .gone } ?? signs.first
  }

  /// What keeps this process from telling whether the owner lives, or while there is none, who takes part; nil where it
  /// can tell.
  public var blindness: LifeSign? {
    let parties: [Party] =
      switch state {
      case .resumed: [.source]
      case .destination: [.destination]
      case .none, .destVerify, .source, .successor: [.source, .destination]
      }
    for party in parties {
      if let sign = life(of: party), case .unknown = sign { return sign }
    }
    return nil
  }
}
