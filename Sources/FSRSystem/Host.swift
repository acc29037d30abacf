internal import CFSRLinux
internal import Glibc

/// What this process runs on and as whom.
public enum Host {
  /// CPUs that are online, at least 1.
  public static var cpuCount: Int { max(1, Int(cfsr_cpu_count())) }

  /// Bytes of memory that the kernel manages.
  public static var memory: UInt64 {
    UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
  }

  public static var effectiveUserID: UInt32 { geteuid() }

  /// Leaves the folder that this process was started in, which nobody can unmount or remove in peace while it is there. A
  /// path that is not absolute leads elsewhere from then on.
  public static func leaveWorkingDirectory() throws(SystemError) {
    // SAFETY: the C string lives for the call.
    if unsafe chdir("/") < 0 { throw SystemError("chdir", on: "/", errno: errno) }
  }
}

/// The program that this process runs.
public enum Executable {
  /// Opens as what this process runs: the program itself, also where its file was replaced, or without /proc the path
  /// that it was started by.
  public static var openablePath: String {
    let own = "/proc/self/exe"
    // SAFETY: C strings; the kernel's lives as long as the process.
    guard unsafe access(own, F_OK) != 0, let path = unsafe cfsr_executed_file() else { return own }
    return unsafe String(cString: path)
  }

  /// The path that the kernel knows it by; it ends in " (deleted)" when the file was removed or replaced,
  /// while `/proc/self/exe` still opens it.
  public static func path() throws(SystemError) -> String {
    try SymbolicLink.target(of: "/proc/self/exe", in: CFSR_WORKING_DIRECTORY)
  }
}
