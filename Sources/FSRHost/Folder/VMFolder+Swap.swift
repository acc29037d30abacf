internal import FSRStorage
package import FSRSystem

/// A swap file that is the VM's own goes with it.
extension VMFolder {
  /// Writes down that the file at `path` will be made for this VM; nothing, where there is one.
  package func noteSwap(_ path: String) throws(SystemError) { try note(path, as: VMFolderNames.swap) }

  /// The same of a file that the next VMM is to have.
  package func noteNextSwap(_ path: String) throws(SystemError) { try note(path, as: VMFolderNames.nextSwap) }

  private func note(_ path: String, as name: String) throws(SystemError) {
    try? directory.unlink(name)
    do throws(SystemError) { _ = try OwnedDescriptor.reference(to: path) } catch {
      // One that cannot be looked at is not for us to remove.
      if error.isMissing { try directory.symlink(name, to: path) }
      return
    }
    // What lies where a former one did is whoever's who put it there.
    forgetOldSwap(path)
  }

  private func forgetOldSwap(_ path: String) {
    for old in VMFolderNames.oldSwaps where (try? directory.readLink(old)) == path {
      try? directory.unlink(old)
    }
  }

  /// Whether the file at `path` is noted as made for this VM.
  package func isOwnSwap(_ path: String) -> Bool { (try? directory.readLink(VMFolderNames.swap)) == path }

  package func forgetSwap() { try? directory.unlink(VMFolderNames.swap) }

  /// Whether a file was made for the next VMM.
  package var hasNextSwap: Bool { (try? directory.readLink(VMFolderNames.nextSwap)) != nil }

  /// A handoff has ended, and the VM's swap file is the one at `path`: the other one is removed, where it was made for this
  /// VM.
  package func settleSwap(on path: String) {
    forgetOldSwap(path)
    // What could not be removed then may be by now; before another takes its place.
    for old in VMFolderNames.oldSwaps { remove(old) }
    settleNewSwap(on: path)
  }

  private func settleNewSwap(on path: String) {
    if let noted = try? directory.readLink(VMFolderNames.swap), noted != path {
      removeOrPutOff(VMFolderNames.swap)
    }
    guard let next = try? directory.readLink(VMFolderNames.nextSwap) else { return }
    if next == path {
      try? directory.rename(VMFolderNames.nextSwap, to: VMFolderNames.swap, replacing: true)
    } else {
      removeOrPutOff(VMFolderNames.nextSwap)
    }
  }

  /// The end of the next handoff tries once more, and the VM's.
  private func removeOrPutOff(_ note: String) {
    if remove(note) == nil { return }
    for old in VMFolderNames.oldSwaps where (try? directory.rename(note, to: old, replacing: false)) != nil {
      return
    }
  }

  /// Removes the swap files, unless they have become another VM's; answers those that are left, and still noted.
  @discardableResult
  func removeSwap() -> [String] {
    var left: [String] = []
    for note in [VMFolderNames.swap, VMFolderNames.nextSwap] + VMFolderNames.oldSwaps {
      if let path = remove(note) { left.append(path) }
    }
    return left
  }

  @discardableResult
  private func remove(_ note: String) -> String? {
    guard let path = try? directory.readLink(note) else { return nil }
    guard SwapFile.removeLeftover(path, of: name, machines) else { return path }
    // That may have taken long, and the name may stand for another by now.
    if (try? directory.readLink(note)) == path { try? directory.unlink(note) }
    return nil
  }
}
