internal import CNuma
internal import Glibc

/// On which nodes the kernel puts new pages (mempolicy(7)).
public enum MemoryPolicy: Equatable, Sendable, CustomStringConvertible {
  /// As the thread's own policy says, or near to it.
  case standard
  /// Near to the processor that touches them first.
  case local
  /// On these, as long as they have room.
  case preferred(NodeSet)
  /// On these and on no other.
  case bind(NodeSet)
  /// On these in turn, and on no other.
  case interleave(NodeSet)
  /// One that this package never sets, by the kernel's number.
  case other(Int32)

  /// What puts memory on `nodes` and nowhere else, evenly where they are several.
  public static func confined(to nodes: NodeSet) -> MemoryPolicy {
    nodes.count == 1 ? .bind(nodes) : .interleave(nodes)
  }

  /// The nodes that it names.
  public var nodes: NodeSet? {
    switch self {
    case .standard, .local, .other: nil
    case .preferred(let nodes), .bind(let nodes), .interleave(let nodes): nodes
    }
  }

  /// The policy's word alone.
  public var word: String {
    switch self {
    case .standard: "default"
    case .local: "local"
    case .preferred: "preferred"
    case .bind: "bind"
    case .interleave: "interleave"
    case .other(let mode): "\(mode)"
    }
  }

  public var description: String { nodes.map { "\(word):\($0)" } ?? word }

  /// What the kernel calls it.
  private var mode: Int32 {
    switch self {
    case .standard: MPOL_DEFAULT
    case .local: MPOL_LOCAL
    case .preferred(let nodes): nodes.count == 1 ? MPOL_PREFERRED : MPOL_PREFERRED_MANY
    case .bind: MPOL_BIND
    case .interleave: MPOL_INTERLEAVE
    case .other(let mode): mode
    }
  }

  private init(mode: Int32, nodes: NodeSet?) {
    switch (mode, nodes) {
    case (MPOL_DEFAULT, _): self = .standard
    case (MPOL_LOCAL, _): self = .local
    case (MPOL_PREFERRED, let nodes?), (MPOL_PREFERRED_MANY, let nodes?): self = .preferred(nodes)
    case (MPOL_BIND, let nodes?): self = .bind(nodes)
    case (MPOL_INTERLEAVE, let nodes?): self = .interleave(nodes)
    case (let mode, _): self = .other(mode)
    }
  }

  /// Bits in a mask of nodes, as the calls count them: one more than there are.
  private static let bits = UInt(NodeSet.limit + 1)

  // MARK: of the calling thread

  /// Makes it the policy of the calling thread, and of those that it starts from now on.
  public func applyToThread() throws(SystemError) {
    // SAFETY: the kernel reads the mask's words and no more.
    let answer = unsafe set_mempolicy(mode, nodes?.words, nodes == nil ? 0 : Self.bits)
    if answer != 0 { throw SystemError("set_mempolicy", on: "\(self)", errno: errno) }
  }

  /// That of the calling thread.
  public static func ofThread() throws(SystemError) -> MemoryPolicy {
    var mode: Int32 = 0
    var words = [UInt](repeating: 0, count: NodeSet.wordCount)
    // SAFETY: the kernel writes as many words as are told.
    let answer = unsafe get_mempolicy(&mode, &words, bits, nil, 0)
    if answer != 0 { throw SystemError("get_mempolicy", on: "the thread", errno: errno) }
    return MemoryPolicy(mode: mode, nodes: NodeSet(words: words))
  }

  // MARK: of memory

  /// Makes it the policy of `length` bytes from `base`.
  @unsafe func apply(to base: UnsafeMutableRawPointer, length: UInt64) throws(SystemError) {
    // SAFETY: the caller's mapping; the kernel reads the mask's words and no more.
    let answer = unsafe mbind(base, UInt(length), mode, nodes?.words, nodes == nil ? 0 : Self.bits, 0)
    if answer != 0 { throw SystemError("mbind", on: "\(self)", errno: errno) }
  }

  /// That of the page at `address`.
  @unsafe static func of(_ address: UnsafeMutableRawPointer) throws(SystemError) -> MemoryPolicy {
    var mode: Int32 = 0
    var words = [UInt](repeating: 0, count: NodeSet.wordCount)
    // SAFETY: the caller's mapping; the kernel writes as many words as are told.
    let answer = unsafe get_mempolicy(&mode, &words, bits, address, UInt32(MPOL_F_ADDR))
    if answer != 0 { throw SystemError("get_mempolicy", on: "a page", errno: errno) }
    return MemoryPolicy(mode: mode, nodes: NodeSet(words: words))
  }
}

extension MappedRegion {
  /// Says on which nodes new pages go. Of a shared mapping it is the file's policy: every process that maps it has it,
  /// and it stays for as long as the file. Pages that are there stay where they are.
  public func place(_ policy: MemoryPolicy) throws(SystemError) {
    // SAFETY: the whole mapping.
    unsafe try policy.apply(to: base, length: length)
  }

  /// The policy of the mapping's first page.
  public func placement() throws(SystemError) -> MemoryPolicy {
    // SAFETY: the mapping has at least one page.
    unsafe try MemoryPolicy.of(base)
  }
}
