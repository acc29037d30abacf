internal import CFSRLinux
internal import Glibc

/// Answers this process's faults in ranges of a shared mapping (userfaultfd(2)): of pages that are holes
/// (*missing*), and of pages that are there but not mapped here (*minor*).
///
/// A thread that touches such a page stands still until the page is mapped or the thread is woken. Once a range is
/// registered, `MappedRegion.populate` over it hangs; `UserFault.continuePages` maps ahead instead. Offsets are bytes
/// from the start of the one mapping that was registered.
@safe public struct UserFault: ~Copyable, @unchecked Sendable {
  // SAFETY: Sendable, because each call is one system call, and `events` is used by one thread, the one that calls
  // `readFaults`, which is mutating.

  /// For a `Poller`: readable while a fault waits.
  public let descriptor: OwnedDescriptor
  /// Whose faults it sees.
  public let reach: Reach
  var base: UnsafeMutableRawPointer?
  var length: UInt64 = 0
  private let events: UnsafeMutablePointer<cfsr_fault>

  /// Whose faults are seen.
  public enum Reach: Sendable, Equatable {
    /// Those of this process's code, and those that the kernel takes for it: in a system call, in KVM.
    case everyFault
    /// Those of this process's code; a system call on a page that is not there fails with EFAULT.
    case userModeOnly
  }

  /// Opens one, with the widest reach that this process may have.
  ///
  /// - Throws: the kernel's reason where there is none, or EINVAL where it cannot watch shared memory.
  public init() throws(SystemError) {
    let opened = try Self.open()
    let features = CFSR_FEATURE_MISSING_SHMEM | CFSR_FEATURE_MINOR_SHMEM
    let answer = cfsr_userfault_api(opened.descriptor.raw, features)
    try check(answer, "ioctl UFFDIO_API", on: "missing and minor faults of shared memory")
    reach = opened.reach
    descriptor = opened.descriptor
    // SAFETY: as many as the C side fills at once; freed by deinit alone.
    unsafe events = .allocate(capacity: CFSR_FAULTS_AT_ONCE)
  }

  deinit {
    // SAFETY: allocated by init, and nobody else has it.
    unsafe events.deallocate()
  }

  private struct Opened: ~Copyable {
    let descriptor: OwnedDescriptor
    let reach: Reach
  }

  /// The call serves those with CAP_SYS_PTRACE, or all where the host says so; the device serves whom its mode lets.
  private static func open() throws(SystemError) -> Opened {
    let full = cfsr_userfault_open(0)
    if full >= 0 { return Opened(descriptor: OwnedDescriptor(adopting: full), reach: .everyFault) }
    if let device = try? OwnedDescriptor.open("/dev/userfaultfd", flags: O_RDWR | O_CLOEXEC) {
      let answer = cfsr_userfault_open_device(device.raw)
      if answer >= 0 { return Opened(descriptor: OwnedDescriptor(adopting: answer), reach: .everyFault) }
    }
    let answer = try check(cfsr_userfault_open(1), "userfaultfd")
    return Opened(descriptor: OwnedDescriptor(adopting: answer), reach: .userModeOnly)
  }

  /// What this host gives this process.
  public enum Availability: Sendable, Equatable {
    case available(Reach)
    case missing(SystemError)
  }

  /// Asks by opening one.
  public static var availability: Availability {
    do throws(SystemError) {
      let opened = try UserFault()
      return .available(opened.reach)
    } catch { return .missing(error) }
  }

  /// Watches `range` of `region`, whole pages: missing and minor faults. All ranges are of one region, which
  /// outlives this object's use. A page that was touched before stays mapped, and is not watched until it is unmapped.
  public mutating func register(_ region: borrowing MappedRegion, _ range: Range<UInt64>) throws(SystemError)
  {
    let count = range.upperBound - range.lowerBound
    precondition(region.contains(range.lowerBound, count: count), "outside the mapping")
    // SAFETY: two addresses are compared.
    if let base = unsafe base { precondition(unsafe base == region.base, "one mapping for each") }
    // SAFETY: the range was checked; the kernel watches and changes nothing.
    let answer = unsafe cfsr_userfault_register(
      descriptor.raw, region.base + Int(range.lowerBound), count)
    try check(answer, "ioctl UFFDIO_REGISTER", on: "\(count) bytes")
    unsafe base = region.base
    length = region.length
  }

  /// Watches `range` no more, whole pages that were registered: who waits there goes on, and finds zeros in a hole.
  public func unregister(_ range: Range<UInt64>) throws(SystemError) {
    let count = range.upperBound - range.lowerBound
    guard let base = unsafe base else { return }
    precondition(range.upperBound <= length, "outside the mapping")
    // SAFETY: the range was checked; the kernel stops watching and changes nothing.
    let answer = unsafe cfsr_userfault_unregister(descriptor.raw, base + Int(range.lowerBound), count)
    try check(answer, "ioctl UFFDIO_UNREGISTER", on: "\(count) bytes")
  }

  /// One fault: somebody stands still at `offset`.
  public struct Fault: Sendable, Equatable {
    /// Of the page's first byte, from the start of the mapping.
    public let offset: UInt64
    /// Whether the page was there, and only not mapped, when the kernel looked.
    public let isMinor: Bool
    public let isWrite: Bool
  }

  /// Takes up to 64 faults that wait, without waiting for one, and appends them to `faults`; answers how many.
  public mutating func readFaults(into faults: inout [Fault]) throws(SystemError) -> Int {
    // SAFETY: the C side fills at most as many as there is room for.
    let answer = unsafe cfsr_userfault_read(descriptor.raw, events, Int32(CFSR_FAULTS_AT_ONCE))
    if answer == -EAGAIN { return 0 }
    try check(answer, "read", on: "userfaultfd")
    guard let base = unsafe base else { return 0 }
    let start = UInt64(UInt(bitPattern: base))
    for index in 0..<Int(answer) {
      // SAFETY: below what the C side answered.
      let event = unsafe events[index]
      let address = event.address & ~4095
      guard address >= start, address - start < length else { continue }
      faults.append(
        Fault(
          offset: address - start, isMinor: event.flags & CFSR_FAULT_MINOR != 0,
          isWrite: event.flags & CFSR_FAULT_WRITE != 0))
    }
    return Int(answer)
  }
}
