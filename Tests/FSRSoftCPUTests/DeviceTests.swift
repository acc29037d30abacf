import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
internal import FSRState
import FSRTestSupport
import Testing

@Suite(.enabled(if: GuestProgram.isClangThere)) struct DeviceTests {
  @Test func theUARTPrintsAndSaysThatItIsReady() throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        li a0, 0x10000000
        lbu s2, 5(a0)
        li a1, 'h'
        sb a1, 0(a0)
        li a1, 'i'
        sb a1, 0(a0)
        lbu s3, 2(a0)
        """ + "\n" + GuestProgram.finish))
    let exit = rig.run()
    #expect(exit == .ended(.passed))
    #expect(rig.console.text == "hi")
    let registers = try rig.registers()
    #expect(registers["s2"] == 0x60)
    #expect(registers["s3"] == 1)
  }

  @Test func theFinisherEndsTheGuest() throws {
    for (value, end) in [
      (0x5555, GuestEnd.passed), (0x2a_3333, .failed(code: 42)), (0x7777, .reset),
    ] {
      let rig = try GuestRig(
        GuestProgram.assemble("li a0, 0x100000\n li a1, \(value)\n sw a1, 0(a0)\n 1: j 1b"))
      let exit = rig.run()
      #expect(exit == .ended(end))
    }
  }

  @Test func toHostEndsTheGuest() throws {
    for (value, end) in [(1, GuestEnd.passed), (85, .failed(code: 42)), (2, .hostRequest(2))] {
      let rig = try GuestRig(
        GuestProgram.assemble(
          "la a0, tohost\n li a1, \(value)\n sd a1, 0(a0)\n 1: j 1b\n .balign 8\n tohost: .dword 0"))
      #expect(rig.machine.toHost != nil)
      let exit = rig.run()
      #expect(exit == .ended(end))
    }
  }

  @Test func aWaitEndsWhenTheTimerDoes() throws {
    let clock = ManualClock()
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        li a0, 0x2004000
        li a1, 1000
        sd a1, 0(a0)
        li a2, 128
        csrw mie, a2
        wfi
        csrr s2, mip
        li a1, -1
        sd a1, 0(a0)
        csrr s3, mip
        rdtime s4
        li a3, 0x200bff8
        ld s5, 0(a3)
        lwu s6, 4(a3)
        """ + "\n" + GuestProgram.finish), clock: clock)
    var exit = rig.run()
    #expect(exit == .waiting(untilTicks: 1000))
    clock.advance(by: 999)
    exit = rig.run()
    #expect(exit == .waiting(untilTicks: 1000))
    #expect(try rig.registers().isWaiting)
    clock.advance(by: 1)
    exit = rig.run()
    #expect(exit == .ended(.passed))
    let registers = try rig.registers()
    #expect(["s2", "s3", "s4", "s5", "s6"].map { registers[$0] } == [128, 0, 1000, 1000, 0])
  }

  /// The host's clock knows nothing of the time that a guest has set.
  @Test func aWaitAtATimeThatTheGuestHasSetIsAsLong() throws {
    let clock = ManualClock()
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        li a0, 0x200bff8
        li a1, 1000000
        sd a1, 0(a0)
        li a0, 0x2004000
        li a1, 1000250
        sd a1, 0(a0)
        li a2, 128
        csrw mie, a2
        wfi
        """ + "\n" + GuestProgram.finish), clock: clock)
    clock.advance(by: 40)
    #expect(rig.run() == .waiting(untilTicks: 290))
    clock.advance(by: 250)
    #expect(rig.run() == .ended(.passed))
  }

  @Test func aTimerInterruptsALoop() throws {
    let clock = ManualClock()
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        la t0, handler
        csrw mtvec, t0
        li a0, 0x2004000
        li a1, 1000
        sd a1, 0(a0)
        li a2, 128
        csrw mie, a2
        csrsi mstatus, 8
        1: j 1b
        .balign 4
        handler:
        """ + "\n" + GuestProgram.finish), clock: clock)
    var exit = rig.run(10_000)
    #expect(exit == .budget)
    clock.advance(by: 1000)
    exit = rig.run(10_000)
    #expect(exit == .ended(.passed))
    #expect(try rig.registers().cause == 1 << 63 | 7)
  }

  @Test func aSoftwareInterruptWakesAnotherHart() throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        csrwi mie, 8
        bnez a0, 1f
        li a1, 0x2000000
        li a2, 1
        sw a2, 4(a1)
        2: j 2b
        1: wfi
        """ + "\n" + GuestProgram.finish), harts: 2)
    var exit = rig.run(100, hart: 1)
    #expect(exit == .waiting(untilTicks: nil))
    exit = rig.run(100, hart: 0)
    #expect(exit == .budget)
    #expect(rig.waker.count(1) == 1)
    exit = rig.run(100, hart: 1)
    #expect(exit == .ended(.passed))
  }

  @Test func aStopRequestStopsAndWakesEveryHart() throws {
    let rig = try GuestRig(GuestProgram.assemble("1: j 1b"), harts: 2)
    rig.machine.requestStop()
    let exits = rig.cpus.map { $0.run(budget: .max) }
    #expect(exits == [.stopped, .stopped])
    #expect(rig.waker.count(0) == 1)
    #expect(rig.waker.count(1) == 1)
    rig.machine.clearStop()
    let exit = rig.run(1000)
    #expect(exit == .budget)
    #expect(rig.cpus[0].instructions == 1000)
  }

  @Test func hartsStartWithTheirNumberAndTheDeviceTree() throws {
    let rig = try GuestRig(GuestProgram.assemble("1: j 1b"), harts: 16)
    for hart in 0..<16 {
      let registers = try rig.registers(hart)
      #expect(registers.pc == 0x8000_0000)
      #expect(registers["a0"] == UInt64(hart))
      #expect(rig.memory.load(registers["a1"] - BoardMap.ram, as: UInt32.self).byteSwapped == 0xd00d_feed)
    }
  }
}
