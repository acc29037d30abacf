/// Why a machine was not made.
public enum MachineError: Error, Equatable, Sendable, CustomStringConvertible {
  case harts(Int)
  case memorySize(UInt64)

  public var description: String {
    switch self {
    case .harts(let count): "\(count) harts; a machine has 1 to \(BoardMap.hartLimit)"
    case .memorySize(let bytes): "\(bytes) bytes of RAM; it takes whole pages of 4096, 1 MiB to 64 TiB"
    }
  }
}
