/// Why carried bytes were refused.
public enum StateError: Error, Equatable, Sendable, CustomStringConvertible {
  case truncated(wanted: Int, left: Int)
  case tooLong(Int, limit: Int)
  case trailing(Int)
  case notText
  case invalid(String, UInt64)
  case missingSection(String)
  case duplicateSection(String)
  case unknownSection(String)
  case sectionVersion(String, has: UInt16, reads: UInt16)
  case notACheckpoint
  case checksum

  public var description: String {
    switch self {
    case .truncated(let wanted, let left): "cut short: \(wanted) bytes wanted, \(left) left"
    case .tooLong(let count, let limit): "\(count) bytes where \(limit) are allowed"
    case .trailing(let count): "\(count) bytes too many"
    case .notText: "text that is not UTF-8"
    case .invalid(let what, let value): "\(what) of \(value)"
    case .missingSection(let name): "no section '\(name)'"
    case .duplicateSection(let name): "section '\(name)' comes twice"
    case .unknownSection(let name): "section '\(name)' is needed and not known here"
    case .sectionVersion(let name, let has, let reads):
      "section '\(name)' has version \(has), \(reads) is read here"
    case .notACheckpoint: "these bytes are not a checkpoint"
    case .checksum: "the checksum does not match the bytes"
    }
  }
}
