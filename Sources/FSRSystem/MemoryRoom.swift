/// How much memory this process, and what it starts, can take before the kernel has to end somebody: of the host and of
/// each control group that this process is in, with what the kernel can take back from files, and swap out.
public struct MemoryRoom: Equatable, Sendable {
  public let bytes: UInt64
  /// Whose room it is: "the host", or a control group's folder.
  public let place: String

  public init(bytes: UInt64, place: String) {
    self.bytes = bytes
    self.place = place
  }

  /// The least room that there is anywhere; nil where nothing tells.
  ///
  /// - Parameter proc: where the kernel tells of this process and the host.
  public static func least(proc: String = "/proc") -> MemoryRoom? {
    let host = counts("\(proc)/meminfo")
    // In kB.
    let swap = (host["SwapFree:"] ?? 0) << 10
    var all: [MemoryRoom] = []
    if let free = host["MemAvailable:"] {
      all.append(MemoryRoom(bytes: free << 10 + swap, place: "the host"))
    }
    for hierarchy in hierarchies(proc) {
      for folder in hierarchy.folders {
        let room = hierarchy.isUnified ? unified(folder, swap: swap) : divided(folder, swap: swap)
        if let room { all.append(MemoryRoom(bytes: room, place: folder)) }
      }
    }
    return all.min { $0.bytes < $1.bytes }
  }

  // MARK: one group

  /// Of a group of version 2; nil where it has no limit.
  private static func unified(_ folder: String, swap: UInt64) -> UInt64? {
    guard let limit = number("\(folder)/memory.max"), let used = number("\(folder)/memory.current") else {
      return nil
    }
    let stat = counts("\(folder)/memory.stat")
    let files = ["inactive_file", "active_file", "slab_reclaimable"].reduce(0) { $0 + (stat[$1] ?? 0) }
    var swap = swap
    if let limit = number("\(folder)/memory.swap.max") {
      swap = min(swap, minus(limit, number("\(folder)/memory.swap.current") ?? 0))
    }
    return minus(limit, minus(used, files)) + swap
  }

  /// Of a group of version 1, which may have a second limit, of memory and swap together.
  private static func divided(_ folder: String, swap: UInt64) -> UInt64? {
    let stat = counts("\(folder)/memory.stat")
    let files = ["total_inactive_file", "total_active_file"].reduce(0) { $0 + (stat[$1] ?? 0) }
    func room(_ kind: String, _ more: UInt64) -> UInt64? {
      guard let limit = number("\(folder)/\(kind).limit_in_bytes"), limit < noLimit,
        let used = number("\(folder)/\(kind).usage_in_bytes")
      else { return nil }
      return minus(limit, minus(used, files)) + more
    }
    return [room("memory", swap), room("memory.memsw", 0)].compactMap { $0 }.min()
  }

  /// What version 1 says where there is no limit is a little less than 2^63.
  private static let noLimit: UInt64 = 1 << 62

  private static func minus(_ a: UInt64, _ b: UInt64) -> UInt64 { a > b ? a - b : 0 }

  // MARK: which groups

  private struct Hierarchy {
    let isUnified: Bool
    /// This process's group and those above it.
    let folders: [String]
  }

  private static func hierarchies(_ proc: String) -> [Hierarchy] {
    let groups = lines("\(proc)/self/cgroup").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    }
    return lines("\(proc)/self/mountinfo").compactMap { line in
      let halves = line.split(separator: " - ", maxSplits: 1)
      guard halves.count == 2 else { return nil }
      let fields = halves[0].split(separator: " ")
      let kind = halves[1].split(separator: " ")
      guard fields.count > 4, kind.count > 2, kind[0] == "cgroup" || kind[0] == "cgroup2" else { return nil }
      let isUnified = kind[0] == "cgroup2"
      guard isUnified || kind[2].split(separator: ",").contains("memory") else { return nil }
      let group = groups.first { group in
        group.count == 3
          && (isUnified ? group[0] == "0" : group[1].split(separator: ",").contains("memory"))
      }
      guard let group, let folders = folders(of: group[2], in: fields[3], at: fields[4]) else { return nil }
      return Hierarchy(isUnified: isUnified, folders: folders)
    }
  }

  /// The folders of a group and of those above it; nil where this mount does not show them.
  private static func folders(of group: Substring, in root: Substring, at point: Substring) -> [String]? {
    let names = group.split(separator: "/")
    let hidden = root.split(separator: "/")
    guard names.starts(with: hidden), !names.contains(".."), !point.contains("\\") else { return nil }
    let shown = names.dropFirst(hidden.count)
    return (0...shown.count).map { depth in
      ([String(point)] + shown.prefix(depth).map(String.init)).joined(separator: "/")
    }
  }

  // MARK: files

  private static func lines(_ path: String) -> [Substring] {
    let bytes = (try? OwnedDescriptor.open(path, .read).readAll(limit: 4 << 20)) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }

  /// The number in a file; nil where there is none, be it "max".
  private static func number(_ path: String) -> UInt64? { lines(path).first.flatMap { UInt64($0) } }

  /// The numbers behind the first words of a file's lines.
  private static func counts(_ path: String) -> [Substring: UInt64] {
    var counts: [Substring: UInt64] = [:]
    for line in lines(path) {
      let words = line.split(separator: " ")
      if words.count > 1, let number = UInt64(words[1]) { counts[words[0]] = number }
    }
    return counts
  }
}
