import FSRHandoff
import FSRMemory
import FSRSystem
import FSRTestSupport

/// What is seen of a VM from outside: of its process, of its threads, and of what the host keeps for it.
///
/// A handoff that came to nothing leaves all of it as it was. What may differ is left out: log, history, the number of the
/// attempt, and counters that only rise.
struct VMFootprint: Equatable {
  /// What was seen, by the name of what was looked at.
  private let traces: [String: String]

  /// How long what is about to go away may take, in nanoseconds; only a footprint that is not as it was takes so long.
  private static let timeout: UInt64 = 20_000_000_000

  /// What there is now, once the process has nobody to answer any more: it has a descriptor and a thread for each.
  init(of vm: TestVM) throws {
    let status = try vm.status()
    guard let pid = status["pid"]?.number.map({ Int32($0) }) else {
      throw Unexpected("nobody runs \(vm.name)")
    }
    let files = ProcessFiles(pid: pid)
    let deadline = MonotonicClock.now() + Self.timeout
    while try Self.isAnswering(files), MonotonicClock.now() < deadline {
      MonotonicClock.sleep(1_000_000)
    }
    var traces = try Self.process(files)
    traces["threads"] = try Self.threads(files)
    traces["folder"] = try Self.names(in: "\(vm.runtime)/\(vm.name)").filter { !Self.growing.contains($0) }
      .joined(separator: " ")
    traces["runtime folder"] = try Self.names(in: vm.runtime).joined(separator: " ")
    traces["machines"] = try vm.machines().keys.sorted().map { "\($0)" }.joined(separator: " ")
    traces["lock"] = try vm.isUnlocked() ? "free" : "held"
    traces["ledger"] = try Self.record(of: vm)
    traces["block"] = try Self.block(of: vm)
    // A guest that stands still changes nothing, pages and times neither.
    let isStill = status["state"]?.text == "paused"
    for key in Self.said + (isStill ? ["memory", "swap", "vcpus"] : []) {
      traces["status: \(key)"] = Self.text(status[key])
    }
    for key in Self.taps {
      traces["ports: \(key)"] = (status["nics"]?.elements ?? []).map { Self.text($0[key]) }.joined(
        separator: " ")
    }
    self.traces = traces
  }

  /// Whether somebody is being answered: a thread lets go of its connection before it ends. A connection may also be there
  /// that no thread has been given yet.
  private static func isAnswering(_ files: ProcessFiles) throws -> Bool {
    let hasClients = try files.threads().contains { (try? files.text("task/\($0)/comm")) == "client\n" }
    return try hasClients || isConnected(files)
  }

  /// Whether somebody is connected to a socket that the process listens at: their ends have its path, also while they wait to
  /// be accepted, when they have no inode. The columns are those of /proc/net/unix: flags, type, state, inode and path are the
  /// fourth to the eighth.
  private static func isConnected(_ files: ProcessFiles) throws -> Bool {
    let rows = try files.text("net/unix").split(separator: "\n").map { $0.split(separator: " ") }.filter {
      $0.count == 8
    }
    let folder = try Directory.open("/proc/\(files.pid)/fd")
    let own = Set(try folder.names(limit: 10_000).compactMap { try? folder.readLink($0) })
    let isListening = "00010000"
    let paths = rows.filter { $0[3] == isListening && own.contains("socket:[\($0[6])]") }.map { $0[7] }
    return rows.contains { $0[3] != isListening && paths.contains($0[7]) }
  }

  /// Files that each handoff adds a line to; the lock is made by the first.
  private static let growing: Set<String> = ["log", "history", "lock"]
  private static let said = [
    "state", "pid", "generation", "build", "binary", "reservation", "placement", "console", "trouble",
  ]
  private static let taps = ["tap", "mac", "queues", "mtu", "offloads", "use"]

  /// The same for the same value: an object's keys come in any order.
  private static func text(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null: "-"
    case .bool(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): value
    case .list(let values): values.map { text($0) }.joined(separator: ", ")
    case .object(let values):
      values.sorted { $0.key < $1.key }.map { "\($0.key) \(text($0.value))" }.joined(separator: ", ")
    }
  }

  // MARK: the process

  private static func process(_ files: ProcessFiles) throws -> [String: String] {
    var traces: [String: String] = [:]
    traces["descriptors"] = try descriptors(of: files.pid)
    traces["mappings"] = try mappings(files)
    traces["core dumps"] = Set(
      try files.memfdFlags().map { line in
        let words = line.split(separator: " ")
        return
          "\(words[0])\(words.contains("dd") ? "" : " is dumped")\(words.contains("lo") ? " is locked" : "")"
      }
    ).sorted().joined(separator: ", ")
    let kept = ["SigIgn", "SigCgt", "SigBlk", "CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "VmLck", "Uid"]
    for line in try files.text("status").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, kept.contains(String(parts[0])) { traces[String(parts[0])] = String(parts[1]) }
    }
    for name in ["limits", "oom_score_adj", "cgroup"] { traces[name] = try files.text(name) }
    traces["working directory"] = try Directory.open("/proc/\(files.pid)").readLink("cwd")
    traces["children"] = try files.threads().map { try files.text("task/\($0)/children") }.joined()
    return traces
  }

  /// How many there are of each kind. Which number a block has differs.
  private static func descriptors(of pid: Int32) throws -> String {
    let folder = try Directory.open("/proc/\(pid)/fd")
    var counts: [String: Int] = [:]
    for name in try folder.names(limit: 10_000) {
      // One that is closed between the two looks was not to stay.
      guard var kind = try? folder.readLink(name) else { continue }
      if let end = kind.firstIndex(of: "["), kind.hasPrefix("socket:") || kind.hasPrefix("pipe:") {
        kind = String(kind[..<end])
      }
      kind = kind.replacing(" (deleted)", with: "")
      if let slash = kind.lastIndex(of: "/"),
        UInt32(kind[kind.index(after: slash)...].prefix { $0 != "." }) != nil
      {
        kind = String(kind[...slash]) + "N"
      }
      counts[kind, default: 0] += 1
    }
    return counts.sorted { $0.key < $1.key }.map { "\($0.value) of \($0.key)" }.joined(separator: ", ")
  }

  /// Bytes that are mapped of each memfd, device and block.
  private static func mappings(_ files: ProcessFiles) throws -> String {
    var sums: [String: UInt64] = [:]
    for line in try files.text("maps").split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 5)
      guard words.count == 6, words[1].hasSuffix("s") else { continue }
      var name: String = String(words[5].drop { $0 == " " }).replacing(" (deleted)", with: "")
      if let slash = name.lastIndex(of: "/"),
        UInt32(name[name.index(after: slash)...].prefix { $0 != "." }) != nil
      {
        name = String(name[...slash]) + "N"
      }
      let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      if ends.count == 2 { sums[name, default: 0] += ends[1] - ends[0] }
    }
    return sums.sorted { $0.key < $1.key }.map { "\($0.value) of \($0.key)" }.joined(separator: ", ")
  }

  /// Each thread's name, class, nice value, and the processors that it may run on.
  private static func threads(_ files: ProcessFiles) throws -> String {
    try files.threads().map { thread in
      let name = try files.text("task/\(thread)/comm").dropLast()
      let line = try files.text("task/\(thread)/stat")
      // Behind the name: the third field and those after it (proc(5)).
      let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].dropFirst(2).split(separator: " ")
      let places = try files.status("Cpus_allowed_list", ofThread: thread) ?? "-"
      let nodes = try files.status("Mems_allowed_list", ofThread: thread) ?? "-"
      return
        "\(name): nice \(fields[16]) priority \(fields[37]) class \(fields[38]) on \(places), memory of \(nodes)"
    }.sorted().joined(separator: "; ")
  }

  // MARK: the host

  private static func names(in path: String) throws -> [String] {
    try Directory.open(path).names(limit: 1000).sorted()
  }

  private static func record(of vm: TestVM) throws -> String {
    guard let record = try Ledger(in: try Directory.open(vm.runtime)).read().record(of: vm.name) else {
      return "none"
    }
    let heir = record.heir.map { "\($0.pid)" } ?? "nobody"
    return "\(record.bytes) bytes on \(record.nodes) of \(record.owner.pid), heir \(heir)"
  }

  private static func block(of vm: TestVM) throws -> String {
    guard let block = try vm.newestBlock() else { return "none" }
    let names = try vm.blockNames()
    let owner = block.owner.map { "\($0.pid)" } ?? "nobody"
    let generation = block.generation + (block.state == .destination ? 1 : 0)
    // One more may be left where the coordinator died, until the next handoff.
    let isInOrder = names.contains("\(block.attempt)") && names.count <= 2
    return "\(isInOrder ? "one" : "\(names)"), owner \(owner), generation \(generation)"
  }

  // MARK: comparing

  /// What is not as it was in `before`, once what is about to go has gone.
  static func differences(of vm: TestVM, from before: VMFootprint) throws -> [String] {
    let deadline = MonotonicClock.now() + timeout
    while true {
      // A thread that ends between two looks is no difference.
      let now = Result { try VMFootprint(of: vm) }
      if (try? now.get()) == before { return [] }
      if MonotonicClock.now() >= deadline { return try now.get().differences(from: before) }
      MonotonicClock.sleep(5_000_000)
    }
  }

  private func differences(from before: VMFootprint) -> [String] {
    Set(traces.keys).union(before.traces.keys).sorted().filter { traces[$0] != before.traces[$0] }.map {
      "\($0) was [\(before.traces[$0] ?? "not there")], is [\(traces[$0] ?? "not there")]"
    }
  }
}
