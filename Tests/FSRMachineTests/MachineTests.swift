import FSRMachine
import FSRMemory
internal import FSRState
import Testing

@Suite struct MachineTests {
  @Test func hartsAndMemoryHaveLimits() throws {
    #expect(throws: MachineError.harts(0)) { try board(harts: 0) }
    #expect(throws: MachineError.harts(17)) { try board(harts: 17) }
    for size in [4096, 1_048_577, 1_044_480] as [UInt64] {
      #expect(throws: MachineError.memorySize(size)) {
        try Machine(
          memory: GuestMemory(size: size), harts: 1, clock: StillClock(ticks: 0), console: RecordingConsole(),
          waker: NoWaker())
      }
    }
  }

  @Test func toHostSpeaksInOddNumbers() {
    #expect(GuestEnd(toHost: 0) == nil)
    #expect(GuestEnd(toHost: 1) == .passed)
    #expect(GuestEnd(toHost: 7) == .failed(code: 3))
    #expect(GuestEnd(toHost: 8) == .hostRequest(8))
    #expect(GuestEnd(toHost: 0xffff_ffff_ffff) == .failed(code: 0x7fff_ffff_ffff))
    // A character for the console, and whatever else has a device or a command.
    for other in [0x0101_0000_0000_0041, 1 << 48, 1 << 56 | 1, .max] as [UInt64] {
      #expect(GuestEnd(toHost: other) == nil)
    }
  }

  @Test func statisticsOfAHostileGuestAreRefusedOrNumbers() throws {
    let machine = try board()
    #expect(SoakStatistics(of: machine) == nil)
    try machine.load(ELFImage(SoakGuestImage.bytes), cpus: [])
    let page = try #require(machine.soakStatistics)
    #expect(SoakStatistics(of: machine) == nil)
    machine.memory.store(UInt64(0x5354_4154_5352_5346), at: page)
    machine.memory.store(UInt64(1), at: page + 8)
    for count in [UInt64(0), 17, .max] {
      machine.memory.store(count, at: page + 16)
      #expect(SoakStatistics(of: machine) == nil)
    }
    machine.memory.store(UInt64(16), at: page + 16)
    machine.memory.store(UInt64.max, at: page + 64 * 16 + 16)
    #expect(SoakStatistics(of: machine)?.harts[15].errors == .max)
  }

  @Test func windowsAreNumbered() throws {
    let machine = try board()
    #expect(SoakParameters.openWindow(in: machine) == nil)
    try machine.load(ELFImage(SoakGuestImage.bytes), cpus: [])
    #expect(SoakParameters.openWindow(in: machine) == 1)
    #expect(SoakParameters.openWindow(in: machine) == 2)
  }
}
