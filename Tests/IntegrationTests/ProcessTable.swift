import FSRSystem

/// What /proc says of the processes of one VM: those that were started as `fsr vmm NAME`.
struct ProcessTable {
  enum State: Equatable {
    case running
    /// By SIGSTOP.
    case stopped
    /// Dead, and not reaped by whoever is to do it.
    case dead
  }

  /// The VMMs of the VM `name` that are not dead, by pid.
  static func machines(named name: String) throws -> [Int32: State] {
    var found: [Int32: State] = [:]
    for entry in try Directory.open("/proc").names(limit: 1_000_000) {
      guard let pid = Int32(entry), let line = text("/proc/\(pid)/cmdline") else { continue }
      let words = line.split(separator: "\0")
      guard words.count == 3, words[1] == "vmm", words[2] == name else { continue }
      if let state = state(of: pid), state != .dead { found[pid] = state }
    }
    return found
  }

  /// Nil where there is no such process.
  static func state(of pid: Int32) -> State? {
    // The letter stands behind the name, which may hold anything, parentheses too.
    guard let line = text("/proc/\(pid)/stat"), let end = line.lastIndex(of: ")") else { return nil }
    switch line[end...].dropFirst(2).first {
    case "T", "t": return .stopped
    case "Z", "X", nil: return .dead
    default: return .running
    }
  }

  /// The processes that have `text` in their command line.
  static func processes(mentioning text: String) throws -> [Int32] {
    try Directory.open("/proc").names(limit: 1_000_000).compactMap { Int32($0) }.filter { pid in
      self.text("/proc/\(pid)/cmdline")?.contains(text) ?? false
    }
  }

  static func descriptorCount(of pid: Int32) throws -> Int {
    try Directory.open("/proc/\(pid)/fd").names(limit: 100_000).count
  }

  /// The limit under which a process can open just `spare` descriptors more than it has now (getrlimit(2), RLIMIT_NOFILE:
  /// one above the highest number that a new one may get).
  static func descriptorLimit(of pid: Int32, leaving spare: Int) throws -> Int {
    let used = Set(try Directory.open("/proc/\(pid)/fd").names(limit: 100_000).compactMap { Int($0) })
    var free = (0...).lazy.filter { !used.contains($0) }.makeIterator()
    for _ in 0..<spare { _ = free.next() }
    return free.next() ?? 0
  }

  /// Signals a process of the VM `name`, found by pid a moment ago.
  static func signal(_ number: Int32, pid: Int32, of name: String) throws {
    let process = try ProcessDescriptor.open(pid: pid)
    // The descriptor stands for whoever has the number now: look once more before the signal.
    guard try machines(named: name)[pid] != nil else { return }
    _ = try process.signal(number)
    // One that dies has no name any more before it lets go of what it holds.
    if number == SignalNumber.kill { _ = try process.waitForExit(timeout: exitLimit) }
  }

  /// Nanoseconds; far more than the memory of any of them takes to be given back.
  private static let exitLimit: UInt64 = 60_000_000_000

  private static func text(_ path: String) -> String? {
    guard let file = try? OwnedDescriptor.open(path, .read), let bytes = try? file.readAll(limit: 1 << 16)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}
