public import FSRHandoff
internal import FSRSystem

/// Where a VM's control blocks are: on tmpfs, in the folder itself or where a link leads that fsr has made.
extension VMFolder {
  private static let shared = "/dev/shm"

  /// The folder that holds the blocks, and its name below /dev/shm where it lies there.
  private struct Place: ~Copyable {
    let directory: Directory
    let leaf: String?
  }

  /// The control blocks; nil where there are none, as after a reboot.
  ///
  /// - Throws: `VMError` where something has their name that is not fsr's, or they cannot be looked at.
  public func blocks() throws(VMError) -> BlockDirectory? {
    guard let place = try place() else { return nil }
    do { return try BlockDirectory(try place.directory.duplicate()) } catch { throw VMError(error) }
  }

  private func place() throws(VMError) -> Place? {
    do throws(SystemError) {
      switch try directory.kind(of: VMFolderNames.blocks) {
      case nil: return nil
      case .directory:
        let found = try Directory.open(VMFolderNames.blocks, in: directory)
        if try isOfOwnerAlone(found) { return Place(directory: found, leaf: nil) }
      case .symbolicLink:
        guard let leaf = Self.sharedLeaf(try directory.readLink(VMFolderNames.blocks)) else { break }
        let found = try Directory.open(leaf, in: try Directory.open(Self.shared))
        if try isOfOwnerAlone(found) { return Place(directory: found, leaf: leaf) }
      case .plain, .pipe, .socket, .device: break
      }
    } catch {
      // Gone with the host's last boot, or just now.
      if error.isMissing { return nil }
      throw VMError(error)
    }
    throw VMError(
      .refused,
      "\(path)/\(VMFolderNames.blocks) is no folder of control blocks that is its owner's alone, and is left alone; look at "
        + "it, and remove it")
  }

  /// Whether nobody else but the folder's own user may write in `found`.
  private func isOfOwnerAlone(_ found: borrowing Directory) throws(SystemError) -> Bool {
    let (owner, mode) = try found.ownership()
    return owner == (try directory.ownership().uid) && mode & 0o022 == 0
  }

  /// The name below /dev/shm that a link to blocks leads to; nil of any other link.
  static func sharedLeaf(_ target: String) -> String? {
    guard target.hasPrefix("\(shared)/") else { return nil }
    let leaf = target.dropFirst(shared.utf8.count + 1)
    let parts = leaf.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "fsr", UInt32(parts[1]) != nil, UInt64(parts[2], radix: 16) != nil
    else {
      return nil
    }
    return String(leaf)
  }

  /// Makes the folder of the blocks, new and empty.
  package func makeBlocks(using random: inout some RandomNumberGenerator) throws(VMError) -> BlockDirectory {
    do {
      if try directory.isOnTmpfs() {
        try directory.make(VMFolderNames.blocks)
        return try BlockDirectory(try Directory.open(VMFolderNames.blocks, in: directory))
      }
      let parent = try Directory.open(Self.shared)
      let unique =
        "fsr-\(Host.effectiveUserID)-" + String(UInt64.random(in: .min ... .max, using: &random), radix: 16)
      try parent.make(unique)
      try directory.symlink(VMFolderNames.blocks, to: "\(Self.shared)/\(unique)")
      return try BlockDirectory(try Directory.open(unique, in: parent))
    } catch { throw VMError(error) }
  }

  /// Whether a path is that of a folder of blocks below /dev/shm: its name there; nil of others.
  package static func blocksElsewhere(_ path: String) -> String? { sharedLeaf(path) }

  /// Removes the folder of blocks `leaf` below /dev/shm, of which no VM's folder tells any more, where it holds nothing else.
  package static func removeBlocks(elsewhere leaf: String) {
    guard let parent = try? Directory.open(shared), let found = try? Directory.open(leaf, in: parent),
      (try? found.ownership().uid) == Host.effectiveUserID,
      let blocks = try? BlockDirectory(found.duplicate()),
      (try? blocks.removeAll())?.isEmpty == true
    else { return }
    try? parent.removeDirectory(leaf)
  }

  /// Removes the blocks and the folder they lie in; answers what is left of that, and can still be found.
  @discardableResult
  package func removeBlocks() -> FolderRemains {
    var remains = FolderRemains()
    do throws(VMError) {
      guard let place = try place() else {
        try? directory.unlink(VMFolderNames.blocks)
        return remains
      }
      let there = (try? place.directory.path()) ?? "\(path)/\(VMFolderNames.blocks)"
      do {
        let others = try BlockDirectory(place.directory.duplicate()).removeAll()
        remains.foreign = others.map { "\(there)/\($0)" }
        guard others.isEmpty else { return remains }
        if let leaf = place.leaf {
          try Directory.open(Self.shared).removeDirectory(leaf)
          try directory.unlink(VMFolderNames.blocks)
        } else {
          try directory.removeDirectory(VMFolderNames.blocks)
        }
      } catch { remains.stuck.append(there) }
    } catch { remains.foreign.append("\(path)/\(VMFolderNames.blocks)") }
    return remains
  }
}
