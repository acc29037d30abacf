public import FSRSystem

/// Why a swap file was refused, or failed.
public enum SwapError: Error, Equatable, Sendable, CustomStringConvertible {
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

  public var description: String {
    switch self {
    case .notPlain(let path, .symbolicLink):
      "\(path) is a symbolic link, which is not followed; name the file that it leads to"
    case .notPlain(let path, let kind): "\(path) is a \(kind.rawValue); a swap file is a plain file"
    case .notOwned(let path, let uid):
      "\(path) belongs to user \(uid), who could read the guest's memory; make it yours (chown), or name another file"
    case .openToOthers(let path, let mode):
      "\(path) has mode 0\(String(mode, radix: 8)), so that others could use the guest's memory; `chmod 600` it"
    case .foreign(let path):
      "\(path) holds something that no VM has written, and is left alone; name another file, or empty it with "
        + "`truncate -s 0`"
    case .tooSmall(let path, let bytes, let needed):
      "\(path) has \(bytes) bytes where \(needed) are needed; somebody has cut it short: name another file"
    case .inUse(let path, let vm, let process):
      "\(path) is in use by "
        + (vm.map { "the VM \($0)" } ?? process.map { "process \($0)" } ?? "another process")
        + "; name another file, one for each VM"
    case .ownFile(let path):
      "\(path) is the VM's swap file already; name another one to copy it to"
    case .notCopied(let path, let failure): "the swap file was not copied to \(path): \(failure)"
    case .hangs(let path, let seconds):
      "the disk of \(path) has not answered for \(seconds) s; name a file on another one"
    case .otherFile(let path): "\(path) is not the swap file that was handed over"
    case .outOfSlots(let limit): "all \(limit) pages that the swap file may have are in use"
    case .noSuchSlot(let slot, let count): "slot \(slot) of a swap file with \(count)"
    case .full(let error): "the swap file cannot grow: \(error)"
    case .readOnly(let error): "the swap file cannot be written: \(error); name one on another file system"
    case .inputOutput(let error): "the swap file's disk failed: \(error)"
    case .notHeld: "the swap file is not this process's to use"
    case .undecodable(let why): "what describes the swap file cannot be read: \(why)"
    case .bitmap(let why): "the swap bitmap is damaged: \(why)"
    case .system(let error) where error.isMissing:
      "the swap file cannot be used: \(error); name a file in a folder that is there"
    case .system(let error): "the swap file cannot be used: \(error)"
    }
  }
}
