public import FSRState
public import FSRSystem

/// One VM's folder: control socket, lock, log, history, and the way to its control blocks.
///
/// The blocks lie on tmpfs: in the folder itself if that is on one, else below /dev/shm, where `blocks` leads.
public struct VMFolder: ~Copyable, Sendable {
  public let name: String
  public let directory: Directory
  /// Whether it was made just now, for a VM that is to start.
  package let isNew: Bool

  package init(name: String, directory: consuming Directory, isNew: Bool = false) {
    self.name = name
    self.isNew = isNew
    self.directory = directory
  }

  public func duplicate() throws(VMError) -> VMFolder {
    do throws(SystemError) { return VMFolder(name: name, directory: try directory.duplicate()) } catch {
      throw VMError(error)
    }
  }

  /// The folder's path, as of now.
  public var path: String { (try? directory.path()) ?? name }

  /// How the guest ended by itself; nil where it has not.
  public var ended: GuestEnd? { (try? readEnded()) ?? nil }

  /// The same, for whoever concludes something from it that there is no end.
  package func readEnded() throws(VMError) -> GuestEnd? {
    do throws(SystemError) {
      let bytes = try directory.openFile(VMFolderNames.ended, .read).readAll(limit: 4096)
      return GuestEnd(text: String(decoding: bytes, as: UTF8.self))
    } catch {
      if error.isOwnShortage { throw VMError(error) }
      return nil
    }
  }

  /// - Throws: `VMError` `noSuchVM` where the guest has ended by itself.
  public func checkGuestIsThere() throws(VMError) {
    guard let ended = try readEnded() else { return }
    throw VMError(
      .noSuchVM,
      "the guest of \(name) has ended by itself (\(ended.text)); `fsr stop \(name)` clears its folder")
  }

  package func writeEnded(_ end: GuestEnd) throws(VMError) {
    do throws(SystemError) {
      try? directory.unlink(VMFolderNames.draft(of: VMFolderNames.ended))
      let file = try directory.openFile(VMFolderNames.draft(of: VMFolderNames.ended), .createNew)
      try file.write(Array(end.text.utf8))
      try directory.rename(
        VMFolderNames.draft(of: VMFolderNames.ended), to: VMFolderNames.ended, replacing: true)
    } catch { throw VMError(error) }
  }
}
