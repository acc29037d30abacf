import FSRSystem
import Glibc
import Synchronization
import Testing

@Suite struct HostTests {
  @Test func aVariableIsTakenOnce() async {
    await #expect(processExitsWith: .success) {
      let listed = Environment.all
      let name = try #require(listed.first?.split(separator: "=").first.map(String.init))
      let value = Environment.take(name)
      #expect(value != nil && listed.contains("\(name)=\(value ?? "")"))
      let again = Environment.take(name)
      #expect(again == nil && !Environment.all.contains { $0.hasPrefix("\(name)=") })
    }
  }

  @Test func theExecutableIsThisOne() throws {
    let path = try Executable.path()
    #expect(path.hasPrefix("/") && !path.hasSuffix("(deleted)"))
    #expect(Host.effectiveUserID == geteuid())
  }
}

@Suite struct CapabilitiesTests {
  @Test func theyAreWhatTheKernelSays() throws {
    let status = String(
      decoding: try OwnedDescriptor.open("/proc/thread-self/status", .read).readAll(limit: 65536),
      as: UTF8.self)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("CapEff:") })
    let set = try #require(UInt64(line.suffix(16), radix: 16))
    let bits: [(Capabilities.Name, UInt64)] = [
      (.kill, 5), (.netAdmin, 12), (.ipcLock, 14), (.sysPtrace, 19), (.sysAdmin, 21), (.sysNice, 23),
      (.sysResource, 24),
    ]
    for (name, bit) in bits + [(.dacOverride, 1), (.fowner, 3)] {
      let has = try Capabilities.has(name)
      #expect(has == (set >> bit & 1 == 1))
    }
  }

  /// By line of /proc/thread-self/status.
  private static func sets() throws -> [String: UInt64] {
    let file = try OwnedDescriptor.open("/proc/thread-self/status", .read)
    let lines = String(decoding: try file.readAll(limit: 65536), as: UTF8.self).split(separator: "\n")
    let caps = lines.filter { $0.hasPrefix("Cap") }
    return Dictionary(
      uniqueKeysWithValues: caps.map { (String($0.prefix(6)), UInt64($0.suffix(16), radix: 16) ?? .max) })
  }

  @Test func whatIsNotKeptIsGoneForTheThreadAndThoseThatItStarts() throws {
    let before = try Self.sets()
    let found = Mutex<[[String: UInt64]]>([])
    // In a thread of its own: the sets are a thread's.
    let thread = try OSThread.start(name: "dropping") {
      do {
        try Capabilities.keepOnly([.ipcLock, .sysNice])
        let own = try Self.sets()
        let inner = try OSThread.start(name: "inner") {
          if let sets = try? Self.sets() { found.withLock { $0.append(sets) } }
        }
        inner.join()
        found.withLock { $0.append(own) }
        try Capabilities.keepOnly([])
        try found.withLock { $0.append(try Self.sets()) }
      } catch { Issue.record("\(error)") }
    }
    thread.join()
    let all = found.withLock { $0 }
    try #require(all.count == 3)
    let kept = before["CapPrm"]! & (1 << 14 | 1 << 23)
    for (sets, expected) in zip(all, [kept, kept, 0]) {
      #expect(sets["CapPrm"] == expected && sets["CapEff"] == expected)
      #expect(sets["CapInh"] == 0 && sets["CapAmb"] == 0 && sets["CapBnd"] == before["CapBnd"])
    }
    #expect(try Self.sets() == before)
  }
}

@Suite struct NUMATests {
  @Test func thereIsAtLeastOneNode() {
    #expect(NUMA.nodeCount >= 1)
    if NUMA.isAvailable { #expect((NUMA.memory(ofNode: 0) ?? 0) > 0) }
    #expect(NUMA.memory(ofNode: -1) == nil && NUMA.memory(ofNode: 1_000_000) == nil)
  }
}
