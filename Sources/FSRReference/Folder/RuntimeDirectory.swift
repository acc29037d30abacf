internal import FSRSystem

/// The folder that holds a folder for every VM of a user: mode 0700, nobody else's.
public struct RuntimeDirectory: ~Copyable, Sendable {
  public static let variable = "FSR_RUNTIME_DIR"
  /// How many VMs one folder lists.
  static let nameLimit = 65536

  public let path: String
  let directory: Directory

  /// Where it lies: the option, the variable, or the place for this user.
  public static func locate(option: String?, environment: [String: String], userID: UInt32) -> String {
    if let option { return option }
    if let set = environment[variable], !set.isEmpty { return set }
    if userID == 0 { return "/run/fsr" }
    if let session = environment["XDG_RUNTIME_DIR"], !session.isEmpty { return session + "/fsr" }
    return "/tmp/fsr-\(userID)"
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

  /// The names of the VMs that live here, or have left something behind.
  public func names() throws(VMError) -> [String] {
    do throws(SystemError) { return try directory.names(limit: Self.nameLimit).sorted() } catch {
      throw VMError(error)
    }
  }

  func duplicate() throws(VMError) -> RuntimeDirectory {
    do throws(SystemError) { return RuntimeDirectory(path: path, directory: try directory.duplicate()) } catch
    {
      throw VMError(error)
    }
  }

  /// The folder of the VM `name`.
  ///
  /// - Throws: `VMError` `noSuchVM`.
  public func vm(_ name: String) throws(VMError) -> VMFolder {
    do throws(SystemError) {
      return VMFolder(name: name, directory: try Directory.open(name, in: directory))
    } catch {
      guard error.isMissing || error.isNoDirectory else { throw VMError(error) }
      throw VMError(.noSuchVM, "there is no VM '\(name)' in \(path); `fsr list` shows those that are")
    }
  }

  /// Makes the folder of a new VM.
  ///
  /// - Throws: `VMError` `refused` where the name is in use.
  func makeVM(_ name: String) throws(VMError) -> VMFolder {
    do throws(SystemError) {
      var isNew = true
      do throws(SystemError) { try directory.make(name) } catch {
        if !error.isTaken { throw error }
        isNew = false
      }
      return VMFolder(name: name, directory: try Directory.open(name, in: directory), isNew: isNew)
    } catch {
      throw VMError(.refused, "the VM's folder cannot be made: \(error); use another name or --runtime-dir")
    }
  }
}
