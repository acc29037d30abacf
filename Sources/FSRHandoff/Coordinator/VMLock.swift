public import FSRSystem

/// One coordinator at a time: the lock of a VM, released by its holder's death.
///
/// The file says who holds it, so that a holder that hangs can be told from one that works.
public struct VMLock: ~Copyable, Sendable {
  /// pid, start time, boot id: 32 bytes.
  private static let recordSize = 32

  private let file: OwnedDescriptor

  private init(_ file: consuming OwnedDescriptor) { self.file = file }

  /// What trying for the lock came to.
  public enum Attempt: ~Copyable, Sendable {
    case taken(VMLock)
    /// Somebody else has it; nil where the record does not say who.
    case held(by: ProcessIdentity?)
  }

  /// Tries for the lock in the VM's folder, without waiting.
  public static func attempt(in directory: borrowing Directory) throws(HandoffError) -> Attempt {
    do throws(SystemError) {
      let file = try directory.openFile("lock", .readWriteCreating)
      guard try file.tryLock() else { return .held(by: holder(file)) }
      let me = ProcessIdentity.current()
      try file.write(
        bytes(UInt64(UInt32(bitPattern: me.pid))) + bytes(me.startTime) + bytes(me.bootID.high)
          + bytes(me.bootID.low), at: 0)
      return .taken(VMLock(file))
    } catch { throw .system(error) }
  }

  private static func bytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
  }

  private static func holder(_ file: borrowing OwnedDescriptor) -> ProcessIdentity? {
    guard let record = try? file.read(at: 0, count: recordSize), record.count == recordSize else {
      return nil
    }
    var fields: [UInt64] = [0, 0, 0, 0]
    for (index, byte) in record.enumerated() { fields[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8) }
    return ProcessIdentity(
      pid: Int32(truncatingIfNeeded: fields[0]), startTime: fields[1],
      bootID: BootID(high: fields[2], low: fields[3]))
  }
}
