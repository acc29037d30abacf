public import FSRSystem

/// Why a file was not copied to its end.
public enum CopyFailure: Reasoned, Hashable {
  /// The original could not be read, or written.
  case original(SystemError)
  /// The copy could not be written, or made longer.
  case copy(SystemError)
  /// Somebody has waited for the copy for so many seconds, while nothing of it came to an end.
  case hangs(seconds: UInt64)
  /// Nobody wants it any more.
  case cancelled
  /// The copy was to be taken before it was whole.
  case wokenEarly

  public var reason: Reason {
    switch self {
    case .original(let error): error.reason.causing("the file that is copied failed")
    case .copy(let error): error.reason.causing("the copy failed")
    case .hangs(let seconds):
      Reason("the copy's disk has not answered for \(seconds) s", remedy: "name a file on another one")
    case .cancelled: Reason("the copy was called off")
    case .wokenEarly: Reason("the copy was to be taken before it was whole")
    }
  }

  /// The same with the files' paths, where it says descriptors' numbers.
  public func naming(original: String, copy: String) -> CopyFailure {
    switch self {
    case .original(let error): .original(error.naming(original))
    case .copy(let error): .copy(error.naming(copy))
    case .hangs, .cancelled, .wokenEarly: self
    }
  }

  /// What the machine said; nil where it was not the machine.
  public var cause: SystemError? {
    switch self {
    case .original(let error), .copy(let error): error
    case .hangs, .cancelled, .wokenEarly: nil
    }
  }
}
