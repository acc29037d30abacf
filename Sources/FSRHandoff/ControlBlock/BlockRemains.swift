public import FSRSystem

/// Who took part in an attempt, as far as that can be read of a control block in whatever state its file is.
///
/// It is read, and not mapped; neither its magic nor its word is needed. Bytes that somebody has written over name nobody:
/// pid, start time and boot id have to be a process's, all three.
public struct BlockRemains: Sendable {
  /// The file's name.
  public let name: String
  private let bytes: [UInt8]

  init(_ name: String, _ bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  /// Who `party` was; nil where nobody is named.
  public func identity(of party: Party) -> ProcessIdentity? {
    let base = BlockLayout.party(party)
    guard number(base + BlockLayout.isSet, 4) == 1, let pid = number(base + BlockLayout.pid, 4),
      let start = number(base + BlockLayout.startTime, 8), let high = number(base + BlockLayout.bootHigh, 8),
      let low = number(base + BlockLayout.bootLow, 8)
    else { return nil }
    return ProcessIdentity(
      pid: Int32(truncatingIfNeeded: pid), startTime: start, bootID: BootID(high: high, low: low))
  }

  /// Every process of `party`, the one that takes part first; empty where nobody is named.
  public func identities(of party: Party) -> [ProcessIdentity] {
    guard let first = identity(of: party) else { return [] }
    guard let count = number(BlockLayout.members(party), 4), count <= BlockLayout.memberLimit else {
      return [first]
    }
    return [first]
      + (0..<Int(count)).compactMap { index in
        let place = BlockLayout.member(index, of: party)
        guard let pid = number(place, 4), let start = number(BlockLayout.memberStart(index, of: party), 8)
        else {
          return nil
        }
        return ProcessIdentity(
          pid: Int32(truncatingIfNeeded: pid), startTime: start, bootID: first.bootID)
      }
  }

  /// The PID namespace that the number of `party` is of; unknown where none is said.
  public func namespace(of party: Party) -> PIDNamespace {
    PIDNamespace(number: number(BlockLayout.namespace(party), 8) ?? 0)
  }

  /// `count` bytes from `offset`, little-endian; nil behind the file's end.
  private func number(_ offset: UInt64, _ count: Int) -> UInt64? {
    let start = Int(offset)
    guard start + count <= bytes.count else { return nil }
    return bytes[start..<(start + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

extension BlockDirectory {
  /// What is left of every block, drafts too; of one that is gone meanwhile, or cannot be read, nothing.
  public func remains() throws(HandoffError) -> [BlockRemains] {
    try names().compactMap { name in
      guard UInt32(name) != nil || name.hasSuffix(Self.draftSuffix),
        let file = try? directory.openFile(name, .read),
        let bytes = try? file.read(at: 0, count: Int(BlockLayout.size))
      else { return nil }
      return BlockRemains(name, bytes)
    }
  }
}
