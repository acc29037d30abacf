internal import Glibc

/// Failures of input and output that a queue or a file commits on purpose: how tests and soaks reach what follows a
/// broken or full disk.
public struct IOFaultPlan: Equatable, Sendable, CustomStringConvertible {
  public enum Operation: String, CaseIterable, Sendable {
    case read
    case write
    /// A file is to become longer.
    case grow
    /// The same of a file's copy in the making.
    case copyWrite = "copy-write"
    case copyGrow = "copy-grow"
    /// A part of the file is to be copied.
    case copyMove = "copy-move"
  }

  public enum Reason: String, CaseIterable, Sendable {
    case inputOutput = "EIO"
    case noSpace = "ENOSPC"
    case quota = "EDQUOT"
    case readOnly = "EROFS"
    /// The file system has no such thing.
    case unsupported = "EOPNOTSUPP"

    var errno: Int32 {
      switch self {
      case .inputOutput: EIO
      case .noSpace: ENOSPC
      case .quota: EDQUOT
      case .readOnly: EROFS
      case .unsupported: EOPNOTSUPP
      }
    }
  }

  public struct Fault: Equatable, Sendable, CustomStringConvertible {
    public let operation: Operation
    /// Which ones fail, the first being 1.
    public let numbers: ClosedRange<UInt64>
    public let reason: Reason

    public init(_ operation: Operation, numbers: ClosedRange<UInt64>, reason: Reason) {
      self.operation = operation
      self.numbers = numbers
      self.reason = reason
    }

    /// - Parameter lasts: whether all later ones fail too.
    public init(_ operation: Operation, number: UInt64, lasts: Bool = false, reason: Reason) {
      self.init(operation, numbers: number...(lasts ? .max : number), reason: reason)
    }

    /// Reads `OPERATION:NUMBER:REASON`; `NUMBER-NUMBER` for all between them, too, and `NUMBER+` for all that follow.
    init?(_ text: Substring) {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3, let operation = Operation(rawValue: parts[0]),
        let reason = Reason(rawValue: parts[2]), let numbers = Self.numbers(parts[1])
      else { return nil }
      self.init(operation, numbers: numbers, reason: reason)
    }

    private static func numbers(_ text: String) -> ClosedRange<UInt64>? {
      let lasts = text.hasSuffix("+")
      let ends = (lasts ? text.dropLast() : text[...]).split(separator: "-", omittingEmptySubsequences: false)
      guard ends.count <= (lasts ? 1 : 2), let first = ends.first.flatMap({ UInt64($0) }), first > 0,
        let last = lasts ? .max : UInt64(ends[ends.count - 1]), first <= last
      else { return nil }
      return first...last
    }

    public var description: String {
      let end =
        switch numbers.upperBound {
        case .max: "+"
        case numbers.lowerBound: ""
        default: "-\(numbers.upperBound)"
        }
      return "\(operation.rawValue):\(numbers.lowerBound)\(end):\(reason.rawValue)"
    }
  }

  /// Faults that one plan may have.
  public static let faultLimit = 8
  /// Bytes of a plan as text.
  public static let textLimit = 512

  public let faults: [Fault]
  private var counts: [Operation: UInt64] = [:]

  public init(_ faults: [Fault] = []) { self.faults = faults }

  /// Reads `OPERATION:NUMBERS:REASON`, as `Fault` does, or several with commas between them; nil where any of it is unknown.
  public init?(_ text: String) {
    guard text.utf8.count <= Self.textLimit else { return nil }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count <= Self.faultLimit else { return nil }
    var faults: [Fault] = []
    for part in parts {
      guard let fault = Fault(part) else { return nil }
      faults.append(fault)
    }
    self.init(faults)
  }

  public var description: String { faults.map(\.description).joined(separator: ",") }

  /// Counts an operation; answers why it is to fail, nil where it is not.
  public mutating func reach(_ operation: Operation) -> SystemError? {
    // The way of every page: without a plan nothing is counted.
    guard !faults.isEmpty else { return nil }
    counts[operation, default: 0] += 1
    let number = counts[operation, default: 0]
    guard let fault = faults.first(where: { $0.operation == operation && $0.numbers.contains(number) }) else {
      return nil
    }
    return SystemError(operation.rawValue, on: "number \(number), by plan", errno: fault.reason.errno)
  }

  /// The part of the plan that is for the file's copy, as its own.
  public var ofCopy: IOFaultPlan {
    IOFaultPlan(
      faults.compactMap { fault in
        let operation: Operation? =
          switch fault.operation {
          case .copyWrite: .write
          case .copyGrow: .grow
          case .copyMove: .copyMove
          case .read, .write, .grow: nil
          }
        return operation.map { Fault($0, numbers: fault.numbers, reason: fault.reason) }
      })
  }
}
