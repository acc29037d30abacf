import FSRMachine
import FSRMemory
import FSRSoftCPU
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
}
