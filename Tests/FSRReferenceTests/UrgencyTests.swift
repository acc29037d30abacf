import FSRReference
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

@Suite struct UrgencyTests {
  /// Somebody has made it urgent, and lower it might not be let back where it was.
  @Test func aThreadThatIsRealTimeStaysWhereItIs() throws {
    let seen = Owned(Mutex<[UInt32]>([]))
    let thread = try OSThread.start(name: "urgent") {
      let number = OSThread.currentThreadID
      guard (try? Scheduling.setFIFO(priority: 20, of: number)) == true else { return }
      let urgency = Urgency()
      for deed in [{}, { urgency.begin(number, priority: 5) }, { urgency.end(number) }] {
        deed()
        guard let standing = try? ThreadStanding.of(number) else { return }
        seen.value.withLock { $0.append(standing.priority) }
      }
    }
    thread.join()
    let priorities = seen.value.withLock { $0 }
    if priorities.isEmpty {
      try OwnedDescriptor.standardError().write(Array("SKIPPED: real-time threads: no right to any\n".utf8))
    } else {
      #expect(priorities == [20, 20, 20])
    }
  }
}
