internal import FSRStorage
internal import FSRSystem

/// A swap file that is the VM's own goes with it.
extension VMFolder {
  /// Writes down that the file at `path` will be made for this VM; nothing, where there is one.
  func noteSwap(_ path: String) throws(SystemError) {
    forgetSwap()
    if (try? OwnedDescriptor.reference(to: path)) == nil { try directory.symlink(Self.swapName, to: path) }
  }

  func forgetSwap() { try? directory.unlink(Self.swapName) }

  /// Removes the swap file, unless somebody writes it or it has become another VM's.
  func removeSwap() {
    guard let path = try? directory.readLink(Self.swapName) else { return }
    SwapFile.removeLeftover(path, of: name)
    forgetSwap()
  }
}
