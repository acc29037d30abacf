package import FSRHandoff
internal import FSRMemory
internal import FSRStorage
internal import FSRSystem
internal import Synchronization

/// A handoff with a swap file of the destination's own, into which this process copies.
extension GuestPaging {
  /// Nanoseconds for a copy that was called off to be closed.
  private static let endLimit: UInt64 = 1_000_000_000

  /// A copy in the making.
  struct Copying {
    let file: SwapFile
    let bytesPerSecond: UInt64?
    /// Once it has begun.
    var mirror: FileMirror?
  }

  /// Makes the file that the destination is to have, as long as this one.
  ///
  /// - Throws: `SwapError`; a file that was made is removed then.
  func makeCopy(at path: String) throws(SwapError) -> SwapFile { try swap.file.makeCopy(at: path) }

  /// Has `file`, so made, go to the next owner.
  func keepCopy(_ file: SwapFile, bytesPerSecond: UInt64?) {
    copying.withLock { $0 = Copying(file: file, bytesPerSecond: bytesPerSecond) }
  }

  /// Where that lies.
  var nextPath: String { nextFile.description.path }

  /// The swap file that the next owner is to have.
  var nextFile: SwapFile { copying.withLock { $0?.file } ?? swap.file }

  /// Begins the copying, or looks how far it is.
  ///
  /// - Throws: `SwapError.notCopied`; `CopyFailure` where there is no copy.
  package func precopy() throws -> Precopy {
    guard var current = copying.withLock({ $0 }) else { throw CopyFailure.cancelled }
    if current.mirror == nil {
      // What an earlier handoff had begun to write goes by that one's mirror.
      if swap.file.hasMirror { return Precopy(.starting) }
      current.mirror = try swap.file.startMirror(to: current.file, bytesPerSecond: current.bytesPerSecond)
      copying.withLock { $0 = current }
    }
    guard let status = current.mirror?.status else { preconditionFailure("it was just started") }
    let stage: Precopy.Stage
    switch status.state {
    case .starting: stage = .starting
    case .inProgress: stage = .copying
    case .done: stage = .settling
    case .sleeping: stage = .standing
    case .stunning, .failed, .exited:
      throw notCopied(current.file, status.failure ?? .wokenEarly)
    }
    return Precopy(stage, copied: status.copied, total: status.total)
  }

  private func notCopied(_ copy: SwapFile, _ failure: CopyFailure) -> SwapError {
    let path = copy.description.path
    return .notCopied(path: path, failure.naming(original: swap.file.description.path, copy: path))
  }

  /// Waits, where the copy has just to become longer once more; evictions are held.
  ///
  /// - Throws: what `precopy` throws; `PagingError.late` when `deadline` passed first; `SwapError` where somebody has
  ///   removed the new file, or put another in its place: its pages would be nobody's to find.
  package func settleCopy(deadline: UInt64) throws {
    let description = nextFile.description
    let looked = try BoundedTask.run("look", until: deadline) {
      try SwapError.translating { () throws(SystemError) in
        try OwnedDescriptor.reference(to: description.path).identity()
      }
    }
    guard let named = looked else { throw PagingError.late }
    guard named == description.file else { throw SwapError.otherFile(path: description.path) }
    while try precopy().stage != .standing {
      if MonotonicClock.now() >= deadline { throw PagingError.late }
      MonotonicClock.sleep(Self.settlePollInterval)
    }
  }

  /// Nanoseconds between two looks at that.
  private static let settlePollInterval: UInt64 = 1_000_000

  /// Takes the mirror off, in the stun: both files are the same from here on, and nobody writes either.
  ///
  /// - Throws: `SwapError.notCopied`; `CopyFailure` where there is no copy.
  package func finishCopy() throws {
    guard let current = copying.withLock({ $0 }) else { throw CopyFailure.cancelled }
    do throws(CopyFailure) {
      guard let mirror = current.mirror else { throw .wokenEarly }
      try mirror.finish()
    } catch { throw notCopied(current.file, error) }
  }

  /// Stops copying, where it was under way: the guest stays. For before it runs again.
  package func cancelCopy() { copying.withLock { $0 }?.mirror?.cancel() }

  /// Gives the copy up: whoever asks for the next owner's file gets this process's own from here on.
  ///
  /// - Parameter isOwn: whether the file was made for this, and goes with it.
  /// - Returns: what is left to be done, which takes as long as the copy's disk does.
  func dropCopy(isOwn: Bool) -> @Sendable () -> Void {
    guard let current = copying.withLock({ $0.take() }) else { return {} }
    current.mirror?.cancel()
    return {
      guard let mirror = current.mirror else { return Self.drop(current.file, isOwn: isOwn) }
      if isOwn { Self.remove(current.file) }
      // The file is closed by that.
      mirror.end(within: Self.endLimit)
    }
  }

  /// Gives up a copy that was never begun; what was made for it goes.
  static func drop(_ copy: SwapFile, isOwn: Bool) {
    if isOwn { remove(copy) }
    // Whoever named a file of its own may name it again at once.
    copy.giveUp()
  }

  private static func remove(_ copy: SwapFile) {
    let description = copy.description
    if (try? OwnedDescriptor.reference(to: description.path).identity()) == description.file {
      try? OwnedDescriptor.remove(description.path)
    }
  }
}
