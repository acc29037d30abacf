import FSRSystem
import Testing

@Suite struct ThreadStandingTests {
  /// What `body` finds on a thread of its own.
  private static func onThread(_ body: @escaping @Sendable () throws -> Bool) throws -> Bool {
    let answer = try EventDescriptor()
    let bell = try answer.duplicate()
    let thread = try OSThread.start(name: "standing") { if (try? body()) == true { try? bell.signal() } }
    thread.join()
    return try answer.clear()
  }

  @Test func allOfItIsPutBack() throws {
    let isBack = try Self.onThread {
      let cpu = try #require(try Scheduling.affinity(of: 0).cpus.last)
      try Scheduling.setBatch(of: 0)
      try Scheduling.setAffinity(CPUSet([cpu]), of: 0)
      let before = try ThreadStanding.of(0)
      _ = try Scheduling.setFIFO(priority: 1, of: 0)
      try Scheduling.setNormal(of: 0)
      let between = try ThreadStanding.of(0)
      try before.apply(to: 0)
      let policy = try Scheduling.policy(of: 0)
      return try between != before && ThreadStanding.of(0) == before && policy == .batch && !before.isRealTime
    }
    #expect(isBack)
  }

  @Test func aPlaceThatIsTheGroupsFollowsIt() throws {
    let isSo = try Self.onThread {
      var free = try ThreadStanding.of(0)
      let own = free.cpus
      try free.followGroup(of: 0)
      let follows = free.cpus.count == CPUSet.limit
      let place = try Scheduling.affinity(of: 0)
      guard own.count > 1, let cpu = own.cpus.first else { return follows && place == own }
      try Scheduling.setAffinity(CPUSet([cpu]), of: 0)
      var narrow = try ThreadStanding.of(0)
      try narrow.followGroup(of: 0)
      let stays = try Scheduling.affinity(of: 0)
      return follows && place == own && narrow.cpus == CPUSet([cpu]) && stays == CPUSet([cpu])
    }
    #expect(isSo)
  }

  @Test func aThreadThatIsGoneHasNone() {
    #expect(throws: SystemError.self) { try ThreadStanding.of(Int32.max) }
  }
}
