public import FSRSystem

extension ChildProcess {
  /// How long anything may take before it is killed, in nanoseconds: far more than it needs on a busy machine.
  private static let timeout: UInt64 = 900_000_000_000

  /// How it ends: by itself, or, once that is hopeless, by being killed. A test whose process hangs fails that way, with
  /// what it waits in on standard error, and the others go on.
  public func ended() throws -> FSRSystem.ExitStatus? {
    if try !process.waitForExit(timeout: Self.timeout) {
      try OwnedDescriptor.standardError().write(Array("process \(pid) hangs:\n\(Self.state(of: pid))".utf8))
      _ = try process.signal(SignalNumber.kill)
      _ = try process.waitForExit(timeout: nil)
    }
    return try process.reap()
  }

  /// What it is, and where in the kernel each of its threads waits.
  private static func state(of pid: Int32) -> String {
    let words = text("/proc/\(pid)/cmdline").replacing("\0", with: " ")
    let threads = (try? Directory.open("/proc/\(pid)/task").names(limit: 1000)) ?? []
    let waits = threads.map {
      "  \(text("/proc/\(pid)/task/\($0)/comm").dropLast()): \(text("/proc/\(pid)/task/\($0)/wchan"))\n"
    }
    return "\(words)\n" + waits.joined()
  }

  private static func text(_ path: String) -> String {
    let bytes = try? OwnedDescriptor.open(path, .read).readAll(limit: 1 << 16)
    return String(decoding: bytes ?? [], as: UTF8.self)
  }
}
