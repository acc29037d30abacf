public import FSRHandoff
public import FSRMachine
public import FSRSystem

/// One VM's folder: control socket, lock, log, history, and the way to its control blocks.
///
/// The blocks lie on tmpfs: in the folder itself if that is on one, else below /dev/shm, where `blocks` leads.
public struct VMFolder: ~Copyable, Sendable {
  static let blocksName = "blocks"
  static let historyName = "history"
  /// A shorter history, until it takes the other's place.
  static let newHistoryName = "history.new"
  static let endedName = "ended"
  /// Leads to a swap file that was made for this VM.
  static let swapName = "swap"
  /// Leads to one that was made for the VMM that a handoff under way starts.
  static let nextSwapName = "swap-next"
  /// Lead to those that nobody needs and that could not be removed yet.
  static let oldSwapNames = ["swap-old"] + (2...8).map { "swap-old-\($0)" }

  public let name: String
  public let directory: Directory
  /// Whether it was made just now, for a VM that is to start.
  let isNew: Bool

  init(name: String, directory: consuming Directory, isNew: Bool = false) {
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

  /// The control blocks; nil where there are none, as after a reboot.
  public func blocks() throws(VMError) -> BlockDirectory? {
    let found: Directory
    do throws(SystemError) {
      found = try Directory.open(Self.blocksName, in: directory, followingLinks: true)
    } catch {
      // Who may not look, or has no room for it, cannot tell.
      guard error.isMissing || error.isNoDirectory else { throw VMError(error) }
      return nil
    }
    if let (owner, _) = try? found.ownership(), owner != Host.effectiveUserID, Host.effectiveUserID != 0 {
      throw VMError(.other, "the control blocks of \(name) are another user's")
    }
    do throws(HandoffError) { return try BlockDirectory(found) } catch { throw VMError(error) }
  }

  /// Makes the folder of the blocks, new and empty.
  func makeBlocks(using random: inout some RandomNumberGenerator) throws(VMError) -> BlockDirectory {
    do {
      if try directory.isOnTmpfs() {
        try directory.make(Self.blocksName)
      } else {
        let parent = try Directory.open("/dev/shm")
        let unique =
          "fsr-\(Host.effectiveUserID)-" + String(UInt64.random(in: .min ... .max, using: &random), radix: 16)
        try parent.make(unique)
        try directory.symlink(Self.blocksName, to: "/dev/shm/\(unique)")
      }
      return try BlockDirectory(try Directory.open(Self.blocksName, in: directory, followingLinks: true))
    } catch { throw VMError(error) }
  }

  /// Removes the blocks and the folder they lie in; answers where that is if it is left, and can still be found.
  @discardableResult
  func removeBlocks() -> String? {
    let shared = "/dev/shm"
    let target = try? directory.readLink(Self.blocksName)
    do throws(SystemError) {
      let found = try Directory.open(Self.blocksName, in: directory, followingLinks: true)
      for name in try found.names(limit: 65536) { try? found.unlink(name) }
      if let target, target.hasPrefix("\(shared)/fsr-") {
        let parent = try Directory.open(shared)
        try parent.removeDirectory(String(target.dropFirst(shared.count + 1)))
      }
    } catch {
      if !error.isMissing { return target ?? "\(path)/\(Self.blocksName)" }
    }
    if target == nil {
      try? directory.removeDirectory(Self.blocksName)
    } else {
      try? directory.unlink(Self.blocksName)
    }
    return nil
  }

  /// Removes what the VM has elsewhere; answers what is left of that.
  private func clearElsewhere() -> [String] {
    TapNote(in: self).restoreAll(of: self)
    var left = removeSwap()
    if let blocks = removeBlocks() { left.append(blocks) }
    return left
  }

  /// How the guest ended by itself; nil where it has not.
  public var ended: GuestEnd? { (try? readEnded()) ?? nil }

  /// The same, for whoever concludes something from it that there is no end.
  func readEnded() throws(VMError) -> GuestEnd? {
    do throws(SystemError) {
      let bytes = try directory.openFile(Self.endedName, .read).readAll(limit: 4096)
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

  func writeEnded(_ end: GuestEnd) throws(VMError) {
    do throws(SystemError) {
      try? directory.unlink("\(Self.endedName).new")
      let file = try directory.openFile("\(Self.endedName).new", .createNew)
      try file.write(Array(end.text.utf8))
      try directory.rename("\(Self.endedName).new", to: Self.endedName, replacing: true)
    } catch { throw VMError(error) }
  }
}

extension VMFolder {
  /// Whether somebody has removed the folder since it was opened.
  public var isRemoved: Bool { (try? directory.isRemoved()) ?? false }

  /// Removes the folder, all that is in it, and what the VM has elsewhere; answers what is left of that.
  @discardableResult
  func remove() -> [String] {
    let left = clearElsewhere()
    for name in (try? directory.names(limit: 4096)) ?? [] { try? directory.unlink(name) }
    let parts = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
    if let last = parts.last, let parent = try? Directory.open("/" + parts.dropLast().joined(separator: "/"))
    {
      try? parent.removeDirectory(last)
    }
    return left
  }

  /// The same, unless something would be left that nothing here tells of any more: somebody else can do it then.
  func removeIfWhole() {
    if clearElsewhere().isEmpty { remove() }
  }
}
