/// A set of the host's CPUs, by number.
public struct CPUSet: Equatable, Sendable, CustomStringConvertible {
  /// One more than the highest number a CPU can have here; the kernel's own bound.
  public static let limit = 8192

  private(set) var words: [UInt64]

  /// No CPU.
  public init() { words = [UInt64](repeating: 0, count: CPUSet.limit / 64) }

  /// Traps on a number outside 0 ..< `limit`.
  public init(_ cpus: some Sequence<Int>) {
    self.init()
    for cpu in cpus { insert(cpu) }
  }

  init(words: [UInt64]) { self.words = words }

  /// Traps on a number outside 0 ..< `limit`.
  public mutating func insert(_ cpu: Int) {
    precondition(cpu >= 0 && cpu < CPUSet.limit, "no such CPU number")
    words[cpu / 64] |= 1 << UInt64(cpu % 64)
  }

  public mutating func remove(_ cpu: Int) {
    if contains(cpu) { words[cpu / 64] &= ~(1 << UInt64(cpu % 64)) }
  }

  public func contains(_ cpu: Int) -> Bool {
    cpu >= 0 && cpu < CPUSet.limit && words[cpu / 64] & 1 << UInt64(cpu % 64) != 0
  }

  public var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// The numbers, ascending.
  public var cpus: [Int] { (0..<CPUSet.limit).filter(contains) }

  public var description: String { cpus.map(String.init).joined(separator: ",") }
}

extension CPUSet {
  /// The CPUs that are in both.
  public func intersection(_ other: CPUSet) -> CPUSet {
    CPUSet(words: zip(words, other.words).map { $0 & $1 })
  }
}
