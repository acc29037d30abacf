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
    settleNewSwap(on: path)
    // What could not be removed then may be by now. One that was named since is whoever's who named it.
    if (try? directory.readLink(Self.oldSwapName)) == path {
      try? directory.unlink(Self.oldSwapName)
    } else {
      remove(Self.oldSwapName)
    }
  }

  private func settleNewSwap(on path: String) {
    if let noted = try? directory.readLink(Self.swapName), noted != path { removeOrPutOff(Self.swapName) }
    guard let next = try? directory.readLink(Self.nextSwapName) else { return }
    if next == path {
      try? directory.rename(Self.nextSwapName, to: Self.swapName, replacing: true)
    } else {
      removeOrPutOff(Self.nextSwapName)
    }
  }

  /// The VM's end tries once more.
  private func removeOrPutOff(_ note: String) {
    if remove(note) != nil { try? directory.rename(note, to: Self.oldSwapName, replacing: true) }
  }

  /// Removes the swap files, unless they have become another VM's; answers those that are left, and still noted.
  @discardableResult
  func removeSwap() -> [String] {
    var left: [String] = []
    for note in [Self.swapName, Self.nextSwapName, Self.oldSwapName] {
      if let path = remove(note) { left.append(path) }
    }
    return left
  }

  @discardableResult
  private func remove(_ note: String) -> String? {
    guard let path = try? directory.readLink(note) else { return nil }
    guard SwapFile.removeLeftover(path, of: name) else { return path }
    try? directory.unlink(note)
    return nil
  }
}
