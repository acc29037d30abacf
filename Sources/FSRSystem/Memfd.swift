internal import CFSRLinux

/// Anonymous shared memory behind a descriptor (memfd_create(2)).
public enum Memfd {
  /// Makes a memfd of `size` bytes, close-on-exec, sealed against shrinking and growing.
  ///
  /// `name` shows up in /proc/PID/maps only. With `hugePages` it consists of pages of 2 MiB, which the host's pool may
  /// lack: whoever maps it allocates them all at once, since a page that is missing later is a SIGBUS.
  public static func create(name: String, size: UInt64, hugePages: Bool = false) throws(SystemError)
    -> OwnedDescriptor
  {
    let huge = hugePages ? CFSR_MFD_HUGETLB | CFSR_MFD_HUGE_2MB : 0
    let flags = CFSR_MFD_CLOEXEC | CFSR_MFD_ALLOW_SEALING | huge
    // SAFETY: the C string lives for the call.
    let raw = unsafe name.withCString { unsafe cfsr_memfd_create($0, flags) }
    let descriptor = OwnedDescriptor(adopting: try check(raw, "memfd_create", on: name))
    try check(cfsr_truncate(descriptor.raw, size), "ftruncate", on: name)
    try check(
      cfsr_add_seals(descriptor.raw, CFSR_SEAL_SHRINK | CFSR_SEAL_GROW), "fcntl F_ADD_SEALS", on: name)
    return descriptor
  }

  /// Whether the size can no longer change: what a mapping of a peer's memfd must know, since a page
  /// beyond a file's end is a SIGBUS.
  public static func isSizeSealed(_ descriptor: borrowing OwnedDescriptor) -> Bool {
    let seals = cfsr_get_seals(descriptor.raw)
    let both = CFSR_SEAL_SHRINK | CFSR_SEAL_GROW
    return seals >= 0 && seals & both == both
  }

  /// Forbids every further write. Fails with EBUSY while a writable mapping exists anywhere.
  public static func sealAgainstWriting(_ descriptor: borrowing OwnedDescriptor) throws(SystemError) {
    try check(cfsr_add_seals(descriptor.raw, CFSR_SEAL_WRITE), "fcntl F_ADD_SEALS", on: "F_SEAL_WRITE")
  }
}
