internal import FSRStorage
internal import FSRSystem

/// A swap file that is the VM's own goes with it.
extension VMFolder {
  /// Writes down that the file at `path` will be made for this VM; nothing, where there is one.
  func noteSwap(_ path: String) throws(SystemError) { try note(path, as: Self.swapName) }

  /// The same of a file that the next VMM is to have.
  func noteNextSwap(_ path: String) throws(SystemError) { try note(path, as: Self.nextSwapName) }

  private func note(_ path: String, as name: String) throws(SystemError) {
    try? directory.unlink(name)
    do throws(SystemError) { _ = try OwnedDescriptor.reference(to: path) } catch {
      // One that cannot be looked at is not for us to remove.
      if error.isMissing { try directory.symlink(name, to: path) }
    }
  }

  func forgetSwap() { try? directory.unlink(Self.swapName) }

  /// Whether a file was made for the next VMM.
  var hasNextSwap: Bool { (try? directory.readLink(Self.nextSwapName)) != nil }

  /// A handoff has ended, and the VM's swap file is the one at `path`: the other one is removed, where it was made for this
  /// VM.
  func settleSwap(on path: String) {
    if let noted = try? directory.readLink(Self.swapName), noted != path { remove(Self.swapName) }
    guard let next = try? directory.readLink(Self.nextSwapName) else { return }
    if next == path {
      try? directory.rename(Self.nextSwapName, to: Self.swapName, replacing: true)
    } else {
      remove(Self.nextSwapName)
    }
  }

  /// Removes the swap files, unless somebody writes them or they have become another VM's.
  func removeSwap() {
    remove(Self.swapName)
    remove(Self.nextSwapName)
    remove(Self.oldSwapName)
  }

  private func remove(_ note: String) {
    guard let path = try? directory.readLink(note) else { return }
    if SwapFile.removeLeftover(path, of: name) {
      try? directory.unlink(note)
    } else {
      // The VM's end tries once more.
      try? directory.rename(note, to: Self.oldSwapName, replacing: true)
    }
  }
}
