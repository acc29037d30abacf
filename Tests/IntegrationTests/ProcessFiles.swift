import FSRSystem

/// What /proc says of one process.
struct ProcessFiles {
  let pid: Int32

  func text(_ name: String) throws -> String {
    String(
      decoding: try OwnedDescriptor.open("/proc/\(pid)/\(name)", .read).readAll(limit: 1 << 22), as: UTF8.self
    )
  }

  /// The threads' numbers.
  func threads() throws -> [Int32] {
    try Directory.open("/proc/\(pid)/task").names(limit: 10_000).compactMap { Int32($0) }
  }

  /// What stands behind `key:` in the status of the thread `thread`.
  func status(_ key: String, ofThread thread: Int32) throws -> String? {
    try text("task/\(thread)/status").split(separator: "\n").first { $0.hasPrefix("\(key):") }
      .map { String($0.dropFirst(key.count + 1).drop { $0 == "\t" || $0 == " " }) }
  }

  /// The number in hexadecimal behind `key:`.
  func rights(_ key: String, ofThread thread: Int32) throws -> UInt64? {
    try status(key, ofThread: thread).flatMap { UInt64($0, radix: 16) }
  }

  /// The policy of each mapping of the memfd `name`, as the kernel writes it.
  func policies(of name: String) throws -> Set<String> {
    let lines = try text("numa_maps").split(separator: "\n").filter { $0.contains("memfd:\(name)") }
    return Set(lines.compactMap { line in line.split(separator: " ").dropFirst().first.map(String.init) })
  }

  /// The kernel's flags of each mapping of a memfd of ours: `NAME FLAGS`.
  func memfdFlags() throws -> [String] {
    var found: [String] = []
    var name: Substring?
    for line in try text("smaps").split(separator: "\n") {
      if let start = line.firstRange(of: "memfd:fsr-") {
        name = line[start.lowerBound...].dropFirst("memfd:".count).prefix { $0 != " " }
      } else if line.hasPrefix("VmFlags:"), let mapping = name {
        found.append("\(mapping) \(line.dropFirst("VmFlags:".count))")
        name = nil
      }
    }
    return found
  }
}
