internal import FSRSystem

/// What a handoff's history says of those who took part; a build that does not know these fields leaves them empty.
extension ControlBlock {
  /// Who asked for the handoff, as the kernel told the source; nil where nobody has written it down.
  public var asker: (pid: Int32, user: UInt32)? {
    guard region.atomicLoad(BlockLayout.askerIsSet, as: UInt32.self) == 1 else { return nil }
    return (region.load(BlockLayout.askerPID), region.load(BlockLayout.askerUser))
  }

  /// Writes down who asked; the first one stays.
  public func noteAsker(pid: Int32, user: UInt32) {
    guard region.atomicLoad(BlockLayout.askerIsSet, as: UInt32.self) == 0 else { return }
    region.store(pid, at: BlockLayout.askerPID)
    region.store(user, at: BlockLayout.askerUser)
    region.atomicStore(UInt32(1), at: BlockLayout.askerIsSet)
  }

  /// The path of the executable that `party` runs; nil where it has not said, or the path is too long for a block.
  public func executable(of party: Party) -> String? {
    let base = BlockLayout.party(party) + BlockLayout.executable
    let count = Int(region.atomicLoad(base, as: UInt32.self))
    guard count > 0, count <= BlockLayout.executableLimit else { return nil }
    return String(validating: region.bytes(at: base + 4, count: count), as: UTF8.self)
  }

  /// Writes down what `party` runs; the first path stays.
  public func noteExecutable(_ path: String, of party: Party) {
    let base = BlockLayout.party(party) + BlockLayout.executable
    let bytes = Array(path.utf8)
    guard !bytes.isEmpty, bytes.count <= BlockLayout.executableLimit,
      region.atomicLoad(base, as: UInt32.self) == 0
    else { return }
    region.copy(bytes, to: base + 4)
    region.atomicStore(UInt32(bytes.count), at: base)
  }

  /// Takes over what `earlier`, the block of the handoff that this one's successor settles, knows.
  func copyAudit(from earlier: ControlBlock) {
    if let asker = earlier.asker { noteAsker(pid: asker.pid, user: asker.user) }
    if let path = earlier.executable(of: .source) { noteExecutable(path, of: .source) }
  }
}
