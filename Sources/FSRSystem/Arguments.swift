internal import CFSRLinux

/// What this process was called with. Swift's own list is read from /proc, which need not be there.
public enum Arguments {
  /// All of them, the program's name first.
  public static let all: [String] = {
    var count: Int32 = 0
    // SAFETY: the kernel's array of so many C strings, which lives as long as the process.
    guard let first = unsafe cfsr_arguments(&count) else { return [] }
    return (0..<Int(count)).compactMap { index in
      // SAFETY: as above.
      guard let text = unsafe first[index] else { return nil }
      return unsafe String(cString: text)
    }
  }()
}
