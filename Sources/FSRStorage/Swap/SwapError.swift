public import FSRSystem

/// Why a swap file was refused, or failed.
public enum SwapError: Reasoned, Equatable {
  case notPlain(path: String, FileKind)
  /// The file belongs to another user.
  case notOwned(path: String, uid: UInt32)
  /// Others may read or write the file, and so the guest's memory.
  case openToOthers(path: String, mode: UInt32)
  /// The file holds something that is not a VM's swapped pages.
  case foreign(path: String)
  /// The file is shorter than what it holds.
  case tooSmall(path: String, bytes: UInt64, needed: UInt64)
  /// Somebody else has the file: a VM, where its name was to be read, or a process.
  case inUse(path: String, vm: String?, process: Int32?)
  /// The file is to be the copy of another, and is that itself.
  case ownFile(path: String)
  /// The pages were not all copied to another file.
  case notCopied(path: String, CopyFailure)
  /// The disk takes longer than anybody waits.
  case hangs(path: String, seconds: UInt64)
  /// The file is not the one that was described.
  case otherFile(path: String)
  /// All slots that this VM may ever have are in use.
  case outOfSlots(limit: UInt64)
  /// A slot was named that is not there.
  case noSuchSlot(UInt64, count: UInt64)
  /// The disk, a quota, or a limit of this process is at its end.
  case full(SystemError)
  case readOnly(SystemError)
  /// The disk does not do what it is told.
  case inputOutput(SystemError)
  /// This process does not hold the file's lock, or has given it back.
  case notHeld
  /// A description or a header that cannot be read.
  case undecodable(String)
  /// A bitmap that contradicts itself.
  case bitmap(String)
  case system(SystemError)

  /// What a failed call means for a swap file.
  public init(_ error: SystemError) {
    if error.isFull {
      self = .full(error)
    } else if error.isReadOnly {
      self = .readOnly(error)
    } else if error.isInputOutput {
      self = .inputOutput(error)
    } else {
      self = .system(error)
    }
  }

  /// What the machine said; where it said nothing, the whole as one refusal.
  var cause: SystemError {
    switch self {
    case .full(let error), .readOnly(let error), .inputOutput(let error), .system(let error): error
    case .notCopied(_, let failure): failure.cause ?? .busy("copy", "\(self)")
    case .notPlain, .notOwned, .openToOthers, .foreign, .tooSmall, .inUse, .ownFile, .hangs, .otherFile,
      .outOfSlots, .noSuchSlot, .notHeld, .undecodable, .bitmap:
      .busy("swap file", "\(self)")
    }
  }

  /// Does what may fail, and says what a failure means for a swap file.
  ///
  /// - Parameter path: where the file is that it is done to.
  public static func translating<Answer: ~Copyable>(
    of path: String? = nil, _ body: () throws(SystemError) -> Answer
  ) throws(SwapError) -> Answer {
    do throws(SystemError) { return try body() } catch {
      throw SwapError(path.map { error.naming($0) } ?? error)
    }
  }

  public var reason: Reason {
    switch self {
    case .notPlain(let path, .symbolicLink):
      Reason(
        "\(path) is a symbolic link, which is not followed", remedy: "name the file that it leads to",
        code: .swap)
    case .notPlain(let path, let kind):
      Reason("\(path) is a \(kind.rawValue)", remedy: "a swap file is a plain file", code: .swap)
    case .notOwned(let path, let uid):
      Reason(
        "\(path) belongs to user \(uid), who could read the guest's memory",
        remedy: "make it yours (chown), or name another file", code: .rights)
    case .openToOthers(let path, let mode):
      Reason(
        "\(path) has mode 0\(String(mode, radix: 8)), so that others could use the guest's memory",
        remedy: "`chmod 600` it", code: .rights)
    case .foreign(let path):
      Reason(
        "\(path) holds something that no VM has written, and is left alone",
        remedy: "name another file, or empty it with `truncate -s 0`", code: .swap)
    case .tooSmall(let path, let bytes, let needed):
      Reason(
        "\(path) has \(bytes) bytes where \(needed) are needed",
        remedy: "somebody has cut it short: name another file", code: .swap)
    case .inUse(let path, let vm, let process):
      Reason(
        "\(path) is in use by "
          + (vm.map { "the VM \($0)" } ?? process.map { "process \($0)" } ?? "another process"),
        remedy: "name another file, one for each VM", code: .locks)
    case .ownFile(let path):
      Reason("\(path) is the VM's swap file already", remedy: "name another one to copy it to", code: .swap)
    case .otherFile(let path): Reason("\(path) is not the swap file that was handed over", code: .swap)
    case .notCopied(let path, let failure):
      failure.reason.causing("the swap file was not copied to \(path)", code: .swap)
    case .hangs(let path, let seconds):
      Reason(
        "the disk of \(path) has not answered for \(seconds) s", remedy: "name a file on another one",
        code: .deadline)
    case .outOfSlots(let limit):
      Reason("all \(limit) pages that the swap file may have are in use", code: .headroom)
    case .noSuchSlot(let slot, let count): Reason("slot \(slot) of a swap file with \(count)", code: .swap)
    case .full(let error): error.reason.causing("the swap file cannot grow", code: .headroom)
    case .readOnly(let error):
      error.reason.causing(
        "the swap file cannot be written", remedy: "name one on another file system", code: .rights)
    case .inputOutput(let error): error.reason.causing("the swap file's disk failed", code: .swap)
    case .notHeld: Reason("the swap file is not this process's to use", code: .swap)
    case .undecodable(let why): Reason("what describes the swap file cannot be read: \(why)", code: .swap)
    case .bitmap(let why): Reason("the swap bitmap is damaged: \(why)", code: .swap)
    case .system(let error) where error.isMissing:
      error.reason.causing(
        "the swap file cannot be used", remedy: "name a file in a folder that is there", code: .swap)
    case .system(let error): error.reason.causing("the swap file cannot be used", code: .swap)
    }
  }
}
