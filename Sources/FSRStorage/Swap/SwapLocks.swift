public import FSRSystem

/// The locks of a swap file, of one byte each. They belong to an open file description, so they go with the
/// process that has it, and with its last write.
///
/// The *writer's* lock is exclusive and held by the very descriptor that pages are written through. Nobody has it
/// while a handoff switches: the source has given it back and the destination has not taken it yet.
///
/// The *claim* is shared by all who have a part in the VM: source, destination, and a coordinator if it wants to. As
/// long as one of them lives, no other VM takes the file, also in that moment.
enum SwapLocks {
  static let writer: UInt64 = 0
  static let claim: UInt64 = 1
  /// Locked for a moment, to have been there before (`SwapFile.rehearseLock`); it says nothing.
  static let rehearsal: UInt64 = 2
}

/// A part in a VM's swap file that reads and writes nothing: as long as it is held, no other VM takes the file.
public struct SwapClaim: ~Copyable, Sendable {
  let file: OwnedDescriptor

  /// Joins those who have a part in the file that `reference` leads to.
  ///
  /// - Throws: `SwapError.inUse` where another VM is just taking it.
  public init(joining reference: borrowing OwnedDescriptor) throws(SwapError) {
    let file = try SwapError.translating { () throws(SystemError) in try reference.reopen(.readWrite) }
    let isShared = try SwapError.translating { () throws(SystemError) in
      try file.tryLock(byte: SwapLocks.claim, .shared)
    }
    guard isShared else { throw .inUse(path: "the swap file", vm: nil, process: nil) }
    self.file = file
  }

  /// The part of a new VM, which nobody else has any in; nil where somebody has.
  init?(alone reference: borrowing OwnedDescriptor, of path: String) throws(SwapError) {
    let file = try SwapError.translating(of: path) { () throws(SystemError) in
      try reference.reopen(.readWrite)
    }
    let isAlone = try SwapError.translating(of: path) { () throws(SystemError) in
      try file.tryLock(byte: SwapLocks.claim, .exclusive)
    }
    guard isAlone else { return nil }
    self.file = file
  }

  /// Lets others of the same VM join; the own part is never lost in between.
  func share() throws(SystemError) { _ = try file.tryLock(byte: SwapLocks.claim, .shared) }
}
