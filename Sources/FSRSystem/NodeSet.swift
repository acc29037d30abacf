/// Some of the host's memory nodes, at least one, by number.
public struct NodeSet: Equatable, Sendable, CustomStringConvertible {
  /// One more than the highest number that a node can have; the kernel's own bound.
  public static let limit = 1024
  /// Bytes of a set as people write it.
  public static let textLimit = 256

  /// The numbers, ascending, each once.
  public let nodes: [Int]

  /// Nil where there is none, or a number is out of range.
  public init?(_ nodes: some Sequence<Int>) {
    let sorted = Set(nodes).sorted()
    guard let first = sorted.first, let last = sorted.last, first >= 0, last < Self.limit else { return nil }
    self.nodes = sorted
  }

  /// The one node `node`. Traps on a number out of range.
  public init(_ node: Int) {
    precondition(node >= 0 && node < Self.limit, "no such node number")
    nodes = [node]
  }

  /// What `text` names in libnuma's way: numbers and ranges, with commas between them, such as `0-1,3`.
  ///
  /// Nil for anything else. Whether the nodes are there is another question.
  public init?(parsing text: String) {
    guard text.utf8.count <= Self.textLimit else { return nil }
    var nodes: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(Self.number)
      guard let first = ends[0], let last = ends[ends.count - 1], first <= last else { return nil }
      nodes += first...last
    }
    self.init(nodes)
  }

  /// Digits alone, of a number in range.
  private static func number(_ text: Substring) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int(text), number < limit
    else { return nil }
    return number
  }

  public var first: Int { nodes[0] }
  public var last: Int { nodes[nodes.count - 1] }
  public var count: Int { nodes.count }

  public func contains(_ node: Int) -> Bool { nodes.contains(node) }

  /// As `init(parsing:)` reads it, with ranges where numbers follow each other.
  public var description: String {
    var ranges: [ClosedRange<Int>] = []
    for node in nodes {
      if let last = ranges.last, last.upperBound + 1 == node {
        ranges[ranges.count - 1] = last.lowerBound...node
      } else {
        ranges.append(node...node)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}

extension NodeSet {
  static let wordCount = limit / 64

  /// As the kernel takes it: a bit for each node.
  var words: [UInt] {
    var words = [UInt](repeating: 0, count: Self.wordCount)
    for node in nodes { words[node / 64] |= 1 << UInt(node % 64) }
    return words
  }

  /// Nil where no bit is set.
  init?(words: [UInt]) {
    self.init((0..<min(Self.limit, words.count * 64)).filter { words[$0 / 64] >> UInt($0 % 64) & 1 == 1 })
  }
}
