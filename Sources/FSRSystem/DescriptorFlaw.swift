internal import CFSRLinux
internal import Glibc

/// Why another process could do nothing with a copy of a descriptor.
public enum DescriptorFlaw: Hashable, Sendable, CaseIterable {
  /// It is not open.
  case closed
  /// It names a file and opens nothing (O_PATH).
  case reference
  /// An io_uring: its rings lie in the memory of the process that made it.
  case ring
  /// A userfaultfd: it watches the memory of the process that made it.
  case userFault
  /// A virtual machine, vCPU or device of KVM, bound to the memory of the process that made it.
  case virtualMachine
}

extension OwnedDescriptor {
  /// What it is in /proc/self/fd: a path, or the kind of a thing that has none, such as `anon_inode:[eventfd]`.
  public func link() throws(SystemError) -> String {
    try SymbolicLink.target(of: "/proc/self/fd/\(raw)", in: CFSR_WORKING_DIRECTORY)
  }

  /// What keeps another process from using a copy; nil where nothing is known to.
  ///
  /// - Throws: `SystemError` where /proc is not mounted.
  public func flaw() throws(SystemError) -> DescriptorFlaw? {
    let flags = fcntl(raw, F_GETFL)
    if flags < 0 { return .closed }
    if flags & OpenFileFlags.reference != 0 { return .reference }
    let link = try link()
    if link == "anon_inode:[io_uring]" { return .ring }
    if link == "anon_inode:[userfaultfd]" { return .userFault }
    if link.hasPrefix("anon_inode:kvm-") || link == "anon_inode:[kvm-gmem]" { return .virtualMachine }
    return nil
  }
}

extension DescriptorBag {
  /// `OwnedDescriptor.flaw` of the descriptor at `index`; `closed` where there is none.
  public func flaw(at index: Int) throws(SystemError) -> DescriptorFlaw? {
    var flaw: DescriptorFlaw? = .closed
    var failure: SystemError?
    withDescriptor(at: index) { descriptor in
      do throws(SystemError) { flaw = try descriptor.flaw() } catch { failure = error }
    }
    if let failure { throw failure }
    return flaw
  }
}

/// The flags of an open file description, as fcntl(2) and /proc have them.
enum OpenFileFlags {
  /// O_PATH.
  static let reference: Int32 = 0o10000000

  static func isWriting(_ flags: Int32) -> Bool {
    let access = flags & O_ACCMODE
    return flags & reference == 0 && (access == O_WRONLY || access == O_RDWR)
  }
}
