import Glibc

/// Whether a VM's memory can be locked here.
public enum LockedMemory {
  /// What a VM of the tests reserves at most, with room for what its VMM locks besides.
  private static let most = 72 << 20

  /// Tried, once; says so where it cannot be: an ordinary user may lock 8M on most hosts.
  public static let isThere: Bool = {
    // SAFETY: a new mapping; what comes back is compared before it is used.
    let memory = unsafe mmap(nil, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    // SAFETY: a comparison of two addresses.
    guard unsafe memory != MAP_FAILED else { return false }
    // SAFETY: the mapping is this function's own, and is used by nobody else.
    defer { unsafe munmap(memory, most) }
    // SAFETY: as above; nothing in it is looked at.
    if unsafe mlock(memory, most) == 0 { return true }
    print("SKIPPED: reservations of up to 64M: too little may be locked (ulimit -l); run as root")
    return false
  }()
}
