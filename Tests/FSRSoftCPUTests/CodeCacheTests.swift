import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
internal import FSRState
import FSRTestSupport
import Testing

@Suite(.enabled(if: GuestProgram.isClangThere)) struct CodeCacheTests {
  @Test func codeGoesOnAcrossPagesAndInstructionsLieAcrossThem() throws {
    let registers = try GuestProgram.registers(
      """
      li s2, 0
      j 1f
      .org 0xffc
      1: c.addi s2, 1
      .option norvc
      addi s2, s2, 2
      addi s2, s2, 4
      j 2f
      .org 0x1ffc
      2: addi s2, s2, 8
      addi s2, s2, 16
      """)
    #expect(registers["s2"] == 31)
  }

  @Test func pagesThatShareAPlaceTakeTurns() throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        li s2, 0
        li s3, 50
        li t1, 0x80400000
        la t2, copied
        ld t3, 0(t2)
        sd t3, 0(t1)
        fence.i
        1: jalr t1
        addi s3, s3, -1
        bnez s3, 1b
        j end
        .balign 8
        copied: addi s2, s2, 3
        ret
        .balign 8
        end:
        """ + "\n" + GuestProgram.finish), megabytes: 8)
    let exit = rig.run()
    #expect(exit == .ended(.passed))
    let registers = try rig.registers()
    #expect(registers["s2"] == 150)
  }

  /// More code than is kept: 12 MiB of additions, twice.
  @Test func codeThatDoesNotFitIsDecodedAgain() throws {
    let rig = try GuestRig(memory: GuestMemory(size: 16 << 20))
    let count: UInt64 = 6 << 20
    let four: UInt64 = 0x0505_0505_0505_0505
    for word in 0..<count / 4 { rig.memory.store(four, at: word * 8) }
    // jalr x0, 0(a1): back to the start.
    rig.memory.store(UInt32(0x0005_8067), at: count * 2)
    rig.cpus[0].reset(entry: BoardMap.ram, deviceTree: BoardMap.ram)
    let exit = rig.run(2 * count + 1)
    #expect(exit == .budget)
    let registers = try rig.registers()
    #expect(registers["a0"] == 2 * count)
    #expect(registers.pc == BoardMap.ram + count * 2)
  }

  @Test func theSecondOfTwoInOneIsNewAfterFenceI() throws {
    let registers = try GuestProgram.registers(
      """
      .option norvc
      li s2, 0
      li s3, 0
      li s4, 2
      la t0, 2f
      lw t1, 3f
      1: addi s2, s2, 1
      2: addi s3, s3, 1
      sw t1, 0(t0)
      fence.i
      addi s4, s4, -1
      bnez s4, 1b
      j 4f
      3: addi s3, s3, 100
      4:
      """)
    #expect(registers["s2"] == 2)
    #expect(registers["s3"] == 101)
  }

  @Test func codeEndsWithRAM() throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        la t0, handler
        csrw mtvec, t0
        li a0, 0x800ffffe
        li a1, 0x13
        sh a1, 0(a0)
        fence.i
        jr a0
        .balign 4
        handler:
        """ + "\n" + GuestProgram.finish))
    let exit = rig.run()
    #expect(exit == .ended(.passed))
    let registers = try rig.registers()
    #expect(registers.cause == 1)
    #expect(registers.exceptionPC == 0x800f_fffe)
    #expect(registers.value == 0x8010_0000)
  }
}
