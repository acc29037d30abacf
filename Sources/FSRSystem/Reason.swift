/// Why something was refused, called off or failed: a code for programs, and for people a sentence and a remedy.
///
/// Programs look at the code, and never into the words.
public struct Reason: Hashable, Sendable, CustomStringConvertible {
  /// Nil where there is no more to say than the sentence.
  public let code: ReasonCode?
  /// One sentence, without a full stop.
  public let what: String
  /// What a person can do about it; nil where that depends on who asks.
  public let remedy: String?

  public init(_ what: String, remedy: String? = nil, code: ReasonCode? = nil) {
    self.what = what
    self.remedy = remedy
    self.code = code
  }

  /// What `error` says of itself; where it is no `Reasoned`, its description.
  public init(of error: any Error) {
    self = (error as? any Reasoned)?.reason ?? Reason("\(error)")
  }

  public var description: String { remedy.map { "\(what); \($0)" } ?? what }

  /// The same as the cause of `outcome`.
  ///
  /// - Parameters:
  ///   - remedy: where the cause knows none.
  ///   - code: where the cause has none.
  public func causing(_ outcome: String, remedy: String? = nil, code: ReasonCode? = nil) -> Reason {
    Reason("\(outcome): \(what)", remedy: self.remedy ?? remedy, code: self.code ?? code)
  }
}

/// An error that tells its sentence, its remedy and its code apart.
public protocol Reasoned: Error, CustomStringConvertible {
  var reason: Reason { get }
}

extension Reasoned {
  public var description: String { reason.description }
}
