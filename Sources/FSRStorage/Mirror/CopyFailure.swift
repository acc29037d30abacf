public import FSRSystem

/// Why a file was not copied to its end.
public enum CopyFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// The original could not be read, or written.
  case original(SystemError)
  /// The copy could not be written, or made longer.
  case copy(SystemError)
  /// Nobody wants it any more.
  case cancelled
  /// The copy was to be taken before it was whole.
  case wokenEarly

  public var description: String {
    switch self {
    case .original(let error): "the file that is copied failed: \(error)"
    case .copy(let error): "the copy failed: \(error)"
    case .cancelled: "the copy was called off"
    case .wokenEarly: "the copy was to be taken before it was whole"
    }
  }

  /// What the machine said; nil where it was not the machine.
  public var cause: SystemError? {
    switch self {
    case .original(let error), .copy(let error): error
    case .cancelled, .wokenEarly: nil
    }
  }
}
