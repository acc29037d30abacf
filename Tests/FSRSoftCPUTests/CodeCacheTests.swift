import FSRGuestSupport
import FSRMachine
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
    let registers = try GuestProgram.registers(
      """
      li s2, 0
      li s3, 50
      1: la t0, far
      jalr t0
      addi s3, s3, -1
      bnez s3, 1b
      j end
      .org 0x40000
      far: addi s2, s2, 3
      ret
      end:
      """)
    #expect(registers["s2"] == 150)
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
