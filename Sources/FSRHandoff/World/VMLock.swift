public import FSRSystem

/// One coordinator at a time: the lock of a VM, released by its holder's death.
///
/// The file says who holds it, so that a holder that hangs can be told from one that works.
public struct VMLock: ~Copyable, Sendable {
  /// pid, start time, boot id, heartbeat: 40 bytes; then the start time once more and the PID namespace, which a build
  /// that does not know them leaves as they were.
  private static let recordSize = 56
  private static let oldRecordSize = 40
  /// How long the file of a lock is that was ever taken, by whatever build.
  public static let recordSizes = [oldRecordSize, recordSize]
  private static let beatOffset: UInt64 = 32

  /// Who holds a lock, and when it last said that it lives, on the monotonic clock.
  public struct Holder: Sendable {
    public let identity: ProcessIdentity
    /// The PID namespace that its number is of.
    public let namespace: PIDNamespace
    public let heartbeat: UInt64
  }

  private let file: OwnedDescriptor

  private init(_ file: consuming OwnedDescriptor) { self.file = file }

  // Said, and not left to the closing: a process that another thread spawns at this moment has a duplicate of the
  // descriptor until it executes its program, and the lock with it.
  deinit { try? file.unlock() }

  /// What trying for the lock came to.
  public enum Attempt: ~Copyable, Sendable {
    case taken(VMLock)
    /// Somebody else has it; nil where the record does not say who.
    case held(by: Holder?)
  }

  /// Tries for the lock in the VM's folder, without waiting.
  public static func attempt(in directory: borrowing Directory) throws(HandoffError) -> Attempt {
    do throws(SystemError) {
      let file = try directory.openFile(VMFiles.lock, .readWriteCreating)
      guard try file.tryLock() else { return .held(by: holder(file)) }
      let me = try ProcessIdentity.establish()
      let words = [
        UInt64(UInt32(bitPattern: me.pid)), me.startTime, me.bootID.high, me.bootID.low, MonotonicClock.now(),
        me.startTime, PIDNamespace.own.number,
      ]
      try file.write(words.flatMap { bytes($0) }, at: 0)
      return .taken(VMLock(file))
    } catch { throw .system(error) }
  }

  /// What a look at the lock showed, which takes nothing from whoever is about to take it.
  public enum Look: Sendable {
    case free
    /// Somebody has it; nil where the record does not say who.
    case held(by: Holder?)
  }

  public static func look(in directory: borrowing Directory) throws(HandoffError) -> Look {
    do throws(SystemError) {
      let file = try directory.openFile(VMFiles.lock, .read)
      return try file.isLockedElsewhere() ? .held(by: holder(file)) : .free
    } catch {
      if error.isMissing { return .free }
      throw .system(error)
    }
  }

  /// Says that the holder lives.
  public func beat(at time: UInt64) { try? file.write(Self.bytes(time), at: Self.beatOffset) }

  private static func bytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  private static func holder(_ file: borrowing OwnedDescriptor) -> Holder? {
    guard let record = try? file.read(at: 0, count: recordSize), record.count >= oldRecordSize else {
      return nil
    }
    var fields = [UInt64](repeating: 0, count: recordSize / 8)
    for (index, byte) in record.enumerated() { fields[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
    let identity = ProcessIdentity(
      pid: Int32(truncatingIfNeeded: fields[0]), startTime: fields[1],
      bootID: BootID(high: fields[2], low: fields[3]))
    let isNamespaceOwn = record.count == recordSize && fields[5] == identity.startTime
    return Holder(
      identity: identity, namespace: PIDNamespace(number: isNamespaceOwn ? fields[6] : 0),
      heartbeat: fields[4])
  }
}
