import FSRSystem
import Glibc
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
    for (name, bit) in bits {
      let has = try Capabilities.has(name)
      #expect(has == (set >> bit & 1 == 1))
    }
  }
}

@Suite struct NUMATests {
  @Test func thereIsAtLeastOneNode() {
    #expect(NUMA.nodeCount >= 1)
    if NUMA.isAvailable { #expect((NUMA.memory(ofNode: 0) ?? 0) > 0) }
    #expect(NUMA.memory(ofNode: -1) == nil && NUMA.memory(ofNode: 1_000_000) == nil)
  }
}
