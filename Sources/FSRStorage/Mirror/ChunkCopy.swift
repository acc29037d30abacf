internal import FSRSystem
internal import Synchronization

/// Copies parts of a file to another, several at a time, on threads that end with it.
final class ChunkCopy: Sendable {
  /// Parts that are copied at once.
  static let width = 4
  /// Bytes that are copied in one go, so that a cancel is soon noticed.
  static let goLimit: UInt64 = 4 << 20

  /// The two files, and how their bytes go from one to the other.
  final class Files: Sendable {
    let original: OwnedDescriptor
    let copy: OwnedDescriptor
    let faults: Mutex<IOFaultPlan>
    /// Whether the kernel cannot do it by itself.
    let isByHand = OneWayFlag()

    init(original: consuming OwnedDescriptor, copy: consuming OwnedDescriptor, faults: IOFaultPlan) {
      self.original = original
      self.copy = copy
      self.faults = Mutex(faults)
    }
  }

  private let files: Files
  /// In bytes.
  private let parts: [Range<UInt64>]
  private let next = Atomic<Int>(0)
  private let running: Atomic<Int>
  private let copied = Atomic<Int>(0)
  private let first = Mutex<CopyFailure?>(nil)
  private let isCancelled = OneWayFlag()
  private let done: @Sendable () -> Void

  private init(
    _ files: Files, parts: [Range<UInt64>], width: Int, done: @escaping @Sendable () -> Void
  ) {
    self.files = files
    self.parts = parts
    self.done = done
    running = Atomic(width)
  }

  /// Starts copying `extents`, in bytes; calls `done` when all of it has ended, on one of the threads.
  static func start(
    _ files: Files, _ extents: [Range<UInt64>], done: @escaping @Sendable () -> Void
  ) -> ChunkCopy {
    let parts = extents.flatMap { extent in
      stride(from: extent.lowerBound, to: extent.upperBound, by: Int(goLimit)).map {
        $0..<min(extent.upperBound, $0 + goLimit)
      }
    }
    let width = max(1, min(Self.width, parts.count))
    let work = ChunkCopy(files, parts: parts, width: width, done: done)
    if parts.isEmpty {
      done()
      return work
    }
    for _ in 0..<width {
      do throws(SystemError) {
        _ = try OSThread.start(name: "copier", detached: true) { work.run() }
      } catch {
        // Fewer do it as well; none at all is a failure.
        work.leave(failing: .copy(error))
      }
    }
    return work
  }

  /// Parts that are copied.
  var ended: Int { copied.load(ordering: .relaxed) }

  /// Ends soon, without having copied all.
  func cancel() { isCancelled.raise() }

  /// What went wrong first; to be asked when it is done.
  var failure: CopyFailure? {
    // A thread that could not be started left its part to the others.
    next.load(ordering: .acquiring) >= parts.count && !hasFailed.isUp ? nil : first.withLock { $0 }
  }

  private let hasFailed = OneWayFlag()

  private func run() {
    var buffer: MappedRegion?
    while !isCancelled.isUp, !hasFailed.isUp {
      let index = next.add(1, ordering: .acquiringAndReleasing).oldValue
      guard index < parts.count else { break }
      do throws(CopyFailure) { try copy(parts[index], &buffer) } catch {
        hasFailed.raise()
        return leave(failing: error)
      }
      copied.add(1, ordering: .relaxed)
    }
    leave(failing: nil)
  }

  private func leave(failing failure: CopyFailure?) {
    if let failure { first.withLock { if $0 == nil { $0 = failure } } }
    if running.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { done() }
  }

  private func copy(_ part: Range<UInt64>, _ buffer: inout MappedRegion?) throws(CopyFailure) {
    if let failure = files.faults.withLock({ $0.reach(.copyMove) }) { throw .copy(failure) }
    let rest = try copyByKernel(part)
    if !rest.isEmpty { try copyByHand(rest, &buffer) }
  }

  /// Answers what the kernel has left over.
  private func copyByKernel(_ part: Range<UInt64>) throws(CopyFailure) -> Range<UInt64> {
    var position = part.lowerBound
    while position < part.upperBound, !files.isByHand.isUp {
      do throws(SystemError) {
        let moved = try files.original.copyRange(
          to: files.copy, at: position, count: part.upperBound - position)
        // Some file systems say so of what they do not copy; reading finds out whether it is the file's end.
        if moved == 0 { break }
        position += moved
      } catch {
        guard error.isNoCopy else { throw .copy(error) }
        files.isByHand.raise()
      }
    }
    return position..<part.upperBound
  }

  private func copyByHand(_ part: Range<UInt64>, _ buffer: inout MappedRegion?) throws(CopyFailure) {
    do throws(SystemError) {
      if buffer == nil { buffer = try MappedRegion(anonymous: Self.goLimit) }
    } catch { throw .copy(error) }
    let count = part.upperBound - part.lowerBound
    do throws(SystemError) {
      try files.original.read(at: part.lowerBound, count: count, into: buffer!, at: 0)
    } catch { throw .original(error) }
    do throws(SystemError) {
      try files.copy.write(at: part.lowerBound, count: count, from: buffer!, at: 0)
    } catch { throw .copy(error) }
  }
}
