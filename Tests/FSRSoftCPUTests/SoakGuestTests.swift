import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
import FSRTestSupport
import Testing

@Suite struct SoakGuestTests {
  private static func rig(_ harts: Int, _ change: (inout SoakParameters) -> Void = { _ in }) throws
    -> GuestRig
  {
    let rig = try GuestRig(SoakGuestImage.bytes, harts: harts, megabytes: 2, clock: HostClock())
    var parameters = SoakParameters()
    change(&parameters)
    let isSoakGuest = parameters.write(to: rig.machine)
    #expect(isSoakGuest)
    return rig
  }

  private static func passes(_ machine: Machine) -> UInt64 {
    SoakStatistics(of: machine)?.harts.map(\.passes).min() ?? 0
  }

  @Test(arguments: [1, 4]) func itWalksItsPagesWithoutErrors(harts: Int) throws {
    let rig = try Self.rig(harts)
    let machine = rig.machine
    let end = rig.runThreads { Self.passes(machine) >= 3 }
    #expect(end == nil)
    let statistics = try #require(SoakStatistics(of: machine))
    #expect(statistics.harts.count == harts)
    for hart in statistics.harts {
      #expect(hart.errors == 0)
      #expect(hart.passes >= 3)
      #expect(hart.ticks >= 3)
    }
    #expect(rig.console.text.contains("fsr soak guest: harts \(harts) pages "))
    #expect(rig.console.text.contains("line 1 pass 1 errors 0\n"))
  }

  /// What the tests of one hart with a clock of their own start with: 8 pages.
  private static func small(_ clock: ManualClock, duty: UInt64 = 100) throws -> GuestRig {
    let rig = try GuestRig(SoakGuestImage.bytes, clock: clock)
    var parameters = SoakParameters()
    parameters.workingSet = 8 * 4096
    parameters.dutyPercent = duty
    #expect(parameters.write(to: rig.machine))
    return rig
  }

  private static func hart(_ rig: GuestRig) throws -> SoakStatistics.Hart {
    try #require(SoakStatistics(of: rig.machine)).harts[0]
  }

  @Test func aCorruptedPageIsAnErrorOnce() throws {
    let rig = try Self.small(ManualClock())
    #expect(rig.run(2_000_000) == .budget)
    #expect(try Self.hart(rig).errors == 0)
    let image = try ELFImage(SoakGuestImage.bytes)
    let pages = try #require(try image.symbols(["free_memory"])["free_memory"]?.first?.address) - BoardMap.ram
    let word = pages + 5 * 4096 + 800
    rig.memory.store(rig.memory.load(word, as: UInt64.self) ^ 1, at: word)
    #expect(rig.run(2_000_000) == .budget)
    #expect(try Self.hart(rig).errors == 1)
    #expect(try Self.hart(rig).passes > 2)
  }

  @Test func aSparseWorkingSetLiesAllOverRAM() throws {
    let rig = try GuestRig(SoakGuestImage.bytes, megabytes: 1 << 20)
    var parameters = SoakParameters()
    parameters.workingSet = 16 * 4096
    parameters.stride = (1 << 40) / 4096 / 20
    #expect(parameters.write(to: rig.machine))
    #expect(rig.run(3_000_000) == .budget)
    #expect(try Self.hart(rig).errors == 0)
    #expect(try Self.hart(rig).passes > 2)
    #expect(rig.console.text.contains("pages 16\n"))
  }

  @Test func aGapIsSeenInLifeAndInItsWindow() throws {
    let clock = ManualClock()
    let rig = try Self.small(clock)
    #expect(rig.run(1_000_000) == .budget)
    clock.advance(by: 700)
    #expect(rig.run(1_000_000) == .budget)
    #expect(try Self.hart(rig).maxGapTicks == 700)
    #expect(try Self.hart(rig).windowGapTicks == 700)
    #expect(SoakParameters.openWindow(in: rig.machine) == 1)
    #expect(rig.run(1_000_000) == .budget)
    #expect(try Self.hart(rig).window == 1)
    #expect(try Self.hart(rig).windowGapTicks == 0)
    clock.advance(by: 300)
    #expect(rig.run(1_000_000) == .budget)
    #expect(try Self.hart(rig).windowGapTicks == 300)
    #expect(try Self.hart(rig).maxGapTicks == 700)
  }

  @Test func withADutyItSleepsTheRestOfThePeriodAndCountsOversleepingOnly() throws {
    let clock = ManualClock()
    let rig = try Self.small(clock, duty: 30)
    #expect(rig.run(1_000_000) == .budget)
    clock.advance(by: 30_000)
    #expect(rig.run(1_000_000) == .waiting(untilTicks: 100_000))
    clock.advance(by: 70_000)
    #expect(rig.run(1_000_000) == .budget)
    #expect(try Self.hart(rig).maxGapTicks == 30_000)
    clock.advance(by: 30_000)
    #expect(rig.run(1_000_000) == .waiting(untilTicks: 200_000))
    clock.advance(by: 170_000)
    #expect(rig.run(1_000_000) == .budget)
    #expect(try Self.hart(rig).maxGapTicks == 100_000)
  }

  @Test(.enabled(if: GuestProgram.isClangThere)) func theCommittedImageIsWhatItsSourcesGive() throws {
    let guest = CommittedGuest(
      folder: "SoakGuest", script: "soak.ld", sources: ["start.S", "soak.c"], image: "SoakGuestImage.swift")
    let built = try guest.build()
    if try guest.isToBeRenewed(with: built) { return }
    #expect(
      built == SoakGuestImage.bytes,
      "FSR_UPDATE_SOAK_IMAGE=1 swift test -c release --disable-testable-imports --filter SoakGuestTests")
  }
}
