import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
import FSRState
import FSRTestSupport
import Testing

@Suite(.enabled(if: GuestProgram.isClangThere)) struct GuestEndTests {
  @Test func aGuestWithoutAHandlerCrashes() throws {
    let rig = try GuestRig(GuestProgram.assemble("unimp"))
    #expect(rig.run() == .ended(.crashed(cause: 1, address: 0)))
  }

  @Test func oneHartThatIsCaughtLetsTheOthersRun() throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        csrr t0, mhartid
        beqz t0, work
        unimp
        work:
        li t1, 1000
        1: addi t1, t1, -1
        bnez t1, 1b
        """ + "\n" + GuestProgram.finish), harts: 2)
    #expect(rig.run(hart: 1) == .waiting(untilTicks: nil))
    // It may be asked again, and sleeps on.
    #expect(rig.run(hart: 1) == .waiting(untilTicks: nil))
    #expect(rig.run(hart: 0) == .ended(.passed))
  }

  @Test func theLastHartThatIsCaughtEndsTheGuest() throws {
    let rig = try GuestRig(GuestProgram.assemble("li t0, 0x40000000\n jr t0"), harts: 2)
    #expect(rig.run(hart: 0) == .waiting(untilTicks: nil))
    // What a handoff carries is enough to see it again.
    let next = try GuestRig(memory: rig.memory, harts: 2)
    try next.sections.restore(rig.sections.save())
    #expect(next.run(hart: 0) == .waiting(untilTicks: nil))
    #expect(next.run(hart: 1) == .ended(.crashed(cause: 1, address: 0)))
  }

  @Test func aHandlerThatTrapsIsNotCaught() throws {
    // The handler is illegal itself: another hart may still mend it.
    let rig = try GuestRig(GuestProgram.assemble("la t0, bad\n csrw mtvec, t0\n .balign 4\n bad: unimp"))
    #expect(rig.run(100_000) == .budget)
  }

  @Test func aResetStartsTheGuestAnew() throws {
    // Counts its starts in RAM that the image does not cover, and asks for a reset until the third.
    let program = try GuestProgram.assemble(
      """
      la s0, data
      ld s1, 0(s0)
      li t0, 77
      sd t0, 0(s0)
      li s2, 0x80080000
      ld s3, 0(s2)
      addi s3, s3, 1
      sd s3, 0(s2)
      li t0, 0x02004000
      ld s5, 0(t0)
      sd zero, 0(t0)
      csrw mscratch, s3
      li t0, 0x0c000028
      lw s6, 0(t0)
      li t1, 5
      sw t1, 0(t0)
      li t0, 3
      beq s3, t0, done
      li t5, 0x100000
      li t6, 0x7777
      sw t6, 0(t5)
      done:
      """ + "\n" + GuestProgram.finish)
    let clock = ManualClock()
    let rig = try GuestRig(program, clock: clock)
    let image = try ELFImage(program)
    for start in 1...2 as ClosedRange<UInt64> {
      #expect(rig.run() == .ended(.reset))
      #expect(try rig.registers()["s3"] == start)
      clock.advance(by: 1000)
      try rig.machine.restart(image, cpus: rig.cpus)
      let registers = try rig.registers()
      #expect(registers.pc == image.entry)
      #expect(registers["s3"] == 0)
      #expect(registers.scratch == 0)
      #expect(registers["a1"] == BoardMap.ram + rig.memory.size - BoardMap.deviceTreeSize)
      #expect(rig.machine.clint.time == 0)
    }
    #expect(rig.run() == .ended(.passed))
    let registers = try rig.registers()
    #expect(registers["s3"] == 3)
    // The image's zeros are zeros again, timers unset, the interrupt controller as new.
    #expect(registers["s1"] == 0)
    #expect(registers["s5"] == .max)
    #expect(registers["s6"] == 0)
  }
}
