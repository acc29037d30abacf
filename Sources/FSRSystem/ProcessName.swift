internal import CFSRLinux

/// What the kernel calls this process (/proc/PID/comm): for ps(1), and for service managers, which show it.
public enum ProcessName {
  /// A program that is started by a path that is not its own, as /proc/self/exe, is called after that until it says otherwise.
  /// Called on the process's first thread, whose name it is; the kernel keeps 15 bytes.
  public static func set(_ name: String) {
    // SAFETY: the C string lives for the call. It cannot fail.
    _ = unsafe name.withCString { unsafe cfsr_thread_name($0) }
  }
}
