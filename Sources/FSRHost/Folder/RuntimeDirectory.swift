package import FSRSystem

/// The folder that holds a folder for every VM of a user: mode 0700, nobody else's.
public struct RuntimeDirectory: ~Copyable, Sendable {
  public static let variable = "FSR_RUNTIME_DIR"
  /// How many VMs one folder lists.
  static let nameLimit = 65536

  public let path: String
  package let directory: Directory

  /// Where it lies: the option, the variable, or the place for this user.
  public static func locate(option: String?, environment: [String: String], userID: UInt32) -> String {
    if let option { return option }
    if let set = environment[variable], !set.isEmpty { return set }
    if userID == 0 { return "/run/fsr" }
    if let session = environment["XDG_RUNTIME_DIR"], !session.isEmpty { return session + "/fsr" }
    return "/tmp/fsr-\(userID)"
  }

  /// How often the removal of a folder is tried, and nanoseconds between two tries.
  private static let removalTries = 50
  private static let removalInterval: UInt64 = 20_000_000

  /// Removes one that was made for a VM alone, once there is nothing in it.
  package static func removeEmpty(at path: String) {
    let parts = path.split(separator: "/")
    guard let name = parts.last,
      let parent = try? Directory.open("/" + parts.dropLast().joined(separator: "/"))
    else { return }
    // Another process of the VM may be about to clear what it has there.
    for _ in 0..<removalTries where (try? parent.removeDirectory(String(name))) == nil {
      MonotonicClock.sleep(removalInterval)
    }
  }

  /// Opens it; makes it where `creating` says so and only its last part is missing.
  ///
  /// - Throws: `VMError` `noSuchVM` where it is not there, `refused` where it is not this user's own.
  public static func open(_ path: String, creating: Bool) throws(VMError) -> RuntimeDirectory {
    // Appended to the working directory it would be just that.
    guard !path.isEmpty else {
      throw VMError(.refused, "the runtime folder's path is empty; name a folder with --runtime-dir")
    }
    let absolute = try path.hasPrefix("/") ? path : "\(workingDirectory())/\(path)"
    let found: Directory
    do throws(SystemError) {
      found = creating ? try Directory.makePath(absolute) : try Directory.open(absolute)
    } catch {
      if !creating, error.isMissing {
        throw VMError(
          .noSuchVM,
          "there is no VM: the runtime folder \(absolute) is not there; name another with --runtime-dir")
      }
      // One that is there, and that others may write to or own, needs no other rights of whoever asks.
      if creating, error.isNotPermitted, let there = try? Directory.open(absolute) {
        try checkOwner(there, absolute, isRootWelcome: false)
      }
      throw VMError(.refused, "the runtime folder cannot be used: \(error); name another with --runtime-dir")
    }
    if !creating { try checkOwner(found, absolute, isRootWelcome: true) }
    do throws(SystemError) { _ = try found.path() } catch {
      throw VMError(
        .refused,
        "the runtime folder \(absolute) leads to a place that cannot be named: \(error); name another")
    }
    return RuntimeDirectory(path: absolute, directory: found)
  }

  /// Has this process work with the rights of the user to whom the folder belongs, from here on, where root works in a
  /// user's folder: what lies in it is that user's wish.
  ///
  /// - Throws: `VMError` `refused` where it cannot.
  public func workAsItsOwner() throws(VMError) {
    do throws(SystemError) {
      let owner = try directory.ownership().uid
      if owner != 0, Host.effectiveUserID == 0 { try WorkingUser.become(owner) }
    } catch { throw VMError(.refused, "nothing can be done in \(path) with its owner's rights: \(error)") }
  }

  private static func workingDirectory() throws(VMError) -> String {
    do throws(SystemError) { return try Directory.open(".").path() } catch {
      throw VMError(
        .usage,
        "the working directory cannot be named: \(error); name a folder from the root with --runtime-dir")
    }
  }

  private static func checkOwner(_ directory: borrowing Directory, _ path: String, isRootWelcome: Bool)
    throws(VMError)
  {
    guard let (owner, mode) = try? directory.ownership() else { return }
    let user = Host.effectiveUserID
    if owner != user, !(isRootWelcome && user == 0) {
      throw VMError(
        .refused,
        "the runtime folder \(path) belongs to user \(owner); name one of your own with --runtime-dir")
    }
    if mode & 0o022 != 0 {
      throw VMError(
        .refused,
        "the runtime folder \(path) can be written to by others (mode \(String(mode, radix: 8))); name one of your own with --runtime-dir"
      )
    }
  }

  private init(path: String, directory: consuming Directory) {
    self.path = path
    self.directory = directory
  }

  /// The names of the VMs that live here, or have left something behind; what else is here is none.
  public func names() throws(VMError) -> [String] {
    do throws(SystemError) {
      var names: [String] = []
      for name in try directory.names(limit: Self.nameLimit) where mayBeVM(name) { names.append(name) }
      return names.sorted()
    } catch { throw VMError(error) }
  }

  /// Of a folder that cannot be looked at for want of descriptors it is not known.
  private func mayBeVM(_ name: String) -> Bool {
    do throws(SystemError) {
      return try isOwnFolder(name) ? standing(of: name) == .ours : false
    } catch { return error.isOwnShortage }
  }

  /// Whether `name` could be a VM's folder: the runtime folder's owner's, and no link.
  private func isOwnFolder(_ name: String) throws(SystemError) -> Bool {
    guard try directory.kind(of: name) == .directory else { return false }
    return try directory.ownership(of: name).uid == directory.ownership().uid
  }

  private func open(_ name: String, isNew: Bool) throws(SystemError) -> VMFolder {
    VMFolder(name: name, directory: try Directory.open(name, in: directory), isNew: isNew)
  }

  private func standing(of name: String) throws(SystemError) -> VMFolder.Standing {
    let folder = try open(name, isNew: false)
    return try folder.standing()
  }

  private func mark(_ name: String) throws(SystemError) {
    let folder = try open(name, isNew: true)
    try folder.writeMark()
  }

  package func duplicate() throws(VMError) -> RuntimeDirectory {
    do throws(SystemError) { return RuntimeDirectory(path: path, directory: try directory.duplicate()) } catch
    {
      throw VMError(error)
    }
  }

  /// The folder of the VM `name`.
  ///
  /// - Throws: `VMError` `noSuchVM` where there is none, or what has the name is not fsr's; `refused` where that cannot
  ///   be told.
  public func vm(_ name: String) throws(VMError) -> VMFolder {
    let folder = try found(name)
    try check(folder) { why in
      VMError(
        .noSuchVM,
        "there is no VM '\(name)' in \(path): what has that name is not fsr's (\(why)), and is left alone")
    }
    return folder
  }

  private func check(_ folder: borrowing VMFolder, _ refusal: (String) -> VMError) throws(VMError) {
    if let why = try foreignness(of: folder) { throw refusal(why) }
  }

  private func found(_ name: String) throws(VMError) -> VMFolder {
    do throws(SystemError) { return try open(name, isNew: false) } catch {
      let isNone = error.isMissing || ((try? directory.kind(of: name)) ?? .directory) != .directory
      if isNone {
        throw VMError(.noSuchVM, "there is no VM '\(name)' in \(path); `fsr list` shows those that are")
      }
      throw unknown(name, error)
    }
  }

  private func unknown(_ name: String, _ error: SystemError) -> VMError {
    if error.isOwnShortage { return VMError(error) }
    if let owner = stranger(name) { return strangers(name, owner) }
    return VMError(.refused, "the folder of \(name) in \(path) cannot be looked at: \(error)")
  }

  /// Whose the folder is, where it is not of the user to whom the runtime folder belongs.
  private func stranger(_ name: String) -> UInt32? {
    do throws(SystemError) {
      let owner = try directory.ownership(of: name).uid
      return owner == (try directory.ownership().uid) ? nil : owner
    } catch { return nil }
  }

  /// Builds that did root's work with root's rights in everybody's runtime folder have left VMs of root's there.
  private func strangers(_ name: String, _ owner: UInt32) -> VMError {
    VMError(
      .refused,
      "\(path)/\(name) belongs to user \(owner), and the runtime folder does not, so nothing is done there; a VM that an "
        + "older fsr runs in it is ended by user \(owner), or root, with `kill $(pgrep -u \(owner) -f 'vmm \(name)$')`, "
        + "and what is left by `rm -r`"
    )
  }

  /// Why a folder is not fsr's; nil where it is.
  private func foreignness(of folder: borrowing VMFolder) throws(VMError) -> String? {
    do throws(SystemError) {
      let owner = try folder.directory.ownership().uid
      guard owner == (try directory.ownership().uid) else { return "it belongs to user \(owner)" }
      guard case .foreign(let reason) = try folder.standing() else { return nil }
      return reason
    } catch { throw unknown(folder.name, error) }
  }

  /// Makes the folder of a new VM, or takes the one that a former VM has left.
  ///
  /// - Throws: `VMError` `refused` where the name is in use.
  package func makeVM(_ name: String) throws(VMError) -> VMFolder {
    let folder = try made(name)
    try check(folder) { why in
      VMError(
        .refused,
        "the name \(name) is taken in \(path) by what is not fsr's (\(why)), and is left alone; use another name or "
          + "--runtime-dir")
    }
    return folder
  }

  private func made(_ name: String) throws(VMError) -> VMFolder {
    do throws(SystemError) {
      let isNew = try makeIfAbsent(name)
      return try open(name, isNew: isNew)
    } catch {
      if let owner = stranger(name) { throw strangers(name, owner) }
      throw VMError(.refused, "the VM's folder cannot be made: \(error); use another name or --runtime-dir")
    }
  }

  /// Answers whether it was made, with a mark in it.
  private func makeIfAbsent(_ name: String) throws(SystemError) -> Bool {
    do throws(SystemError) { try directory.make(name) } catch {
      if error.isTaken { return false }
      throw error
    }
    do throws(SystemError) { try mark(name) } catch {
      try? directory.removeDirectory(name)
      throw error
    }
    return true
  }
}
