internal import FSRHandoff
internal import FSRHost
public import FSRState
internal import FSRSystem
internal import Synchronization

/// A client's end of a VM's console: the very memory that the guest's serial port writes to and reads from.
///
/// It goes with the guest from process to process, so that a client stays attached over handoffs without a VMM's
/// help, and no client can hold a guest or a VMM up.
public final class ConsoleLink: Sendable {
  /// How long a VM seems lost before it is called that, in nanoseconds: one that is stopped by force does, for a
  /// moment.
  private static let doubt: UInt64 = 1_000_000_000

  /// What has become of the VM.
  public enum Life: Equatable, Sendable {
    case running
    /// It is paused, or stunned in a handoff that is under way or has to be settled.
    case standing
    /// The guest has ended by itself.
    case ended(GuestEnd)
    /// The VM was stopped.
    case stopped
    case lost
  }

  private let folder: Owned<VMFolder>
  private let buffer: ConsoleBuffer
  private let input: ConsoleInput
  /// Behind the last byte that this client has put.
  private let inputEnd = Mutex<UInt64?>(nil)
  private let missedSince = Mutex<UInt64?>(nil)

  init(folder: consuming VMFolder, memory: consuming OwnedDescriptor) throws(SystemError) {
    self.folder = Owned(folder)
    buffer = try ConsoleBuffer(adopting: memory)
    input = ConsoleInput(in: buffer.region)
  }

  // MARK: output

  /// Reads what is kept of the output and then what comes; with `skippingKept` only what comes.
  public func reader(skippingKept: Bool) -> ConsoleReader {
    ConsoleReader(of: buffer, skippingKept: skippingKept)
  }

  /// Makes every reader that waits look up.
  public func wakeReaders() { buffer.wakeReaders() }

  // MARK: input

  /// Types what there is room for; answers how many bytes that were.
  public func type(_ bytes: ArraySlice<UInt8>) -> Int {
    let (count, end) = input.put(bytes)
    if let end { inputEnd.withLock { $0 = end } }
    return count
  }

  /// How many of the bytes that this client has typed wait for the guest.
  public var untakenCount: Int {
    inputEnd.withLock { $0 }.map { input.untakenCount(before: $0) } ?? 0
  }

  /// How many bytes the guest has ever taken, whoever typed them.
  public var takenCount: UInt64 { input.takenCount }

  /// Sleeps until the guest has taken more than `taken` bytes, which the caller has read before it found no room;
  /// `timeout` nanoseconds at most, or for less.
  public func waitForRoom(beyond taken: UInt64, timeout: UInt64) {
    input.waitForRoom(beyond: taken, timeout: timeout)
  }

  // MARK: the VM

  public func life() -> Life {
    if let end = buffer.end ?? folder.value.ended { return .ended(end) }
    if folder.value.isRemoved { return .stopped }
    let state = state()
    let now = MonotonicClock.now()
    let missed = missedSince.withLock { since in
      since = state == .lost ? since ?? now : nil
      return since
    }
    guard let missed else { return state }
    return now - missed < Self.doubt ? .standing : .lost
  }

  /// What the newest block says, without asking anybody.
  private func state() -> Life {
    do {
      switch try VMClient.ownership(of: folder.value) {
      case .owner, .hidden: return buffer.isPaused ? .standing : .running
      case .undecided:
        // While a handoff is prepared, however long that takes, the guest runs.
        let isStunned = try VMClient.newestBlock(of: folder.value)?.time(of: .stunned) != 0
        return isStunned || buffer.isPaused ? .standing : .running
      case .nobody: return .lost
      }
    } catch {
      // Blocks come and go while somebody looks.
      return .standing
    }
  }
}
