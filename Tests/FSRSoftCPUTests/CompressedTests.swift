import FSRGuestSupport
import FSRMachine
internal import FSRState
import FSRTestSupport
import Testing

@Suite(.enabled(if: GuestProgram.isClangThere)) struct CompressedTests {
  @Test func everyCompressedInstructionDoesWhatItStandsFor() throws {
    let registers = try GuestProgram.registers(
      """
      la sp, data
      c.addi16sp sp, 496
      c.addi16sp sp, -496
      c.addi4spn s0, sp, 1020
      c.li a0, -32
      c.lui a1, 0xfffe0
      c.li a2, 31
      c.addi a2, -32
      c.addiw a1, -1
      c.li a3, 21
      c.slli a3, 40
      c.mv a4, a3
      c.srli a4, 40
      c.mv a5, a0
      c.srai a5, 3
      c.andi a5, -3
      c.sdsp a3, 504(sp)
      c.ldsp s2, 504(sp)
      c.swsp a0, 252(sp)
      c.lwsp s3, 252(sp)
      c.mv s1, sp
      c.sd a4, 248(s1)
      c.ld a4, 248(s1)
      c.sw a0, 124(s1)
      c.lw a0, 124(s1)
      c.sub a0, a4
      c.xor a4, a0
      c.or a4, a5
      c.and a4, a0
      li s1, 0x7fffffff
      c.addw s1, s1
      mv s4, s1
      c.subw s1, a2
      c.li s0, 0
      c.beqz s0, 1f
      c.li s4, 0
      1:
      c.bnez s0, 1b
      c.j 2f
      c.li s4, 1
      2:
      la t0, 3f
      c.jalr t0
      back:
      c.j 4f
      3:
      c.mv s5, ra
      c.addi s5, 1
      c.jr ra
      4:
      la s6, back
      c.add s5, s6
      c.sub a1, a1
      c.nop
      """)
    let sum = registers["s6"] &* 2 &+ 1
    let expected: [(String, Int64)] = [
      ("a0", -53), ("a2", -1), ("a3", 21 << 40), ("a4", -53 & ((21 ^ -53) | -4 & -3)), ("a5", -4 & -3),
      ("s2", 21 << 40),
      ("s3", -32), ("s4", -2), ("s1", -1), ("s5", Int64(bitPattern: sum)), ("a1", 0),
    ]
    for (name, value) in expected { #expect(Int64(bitPattern: registers[name]) == value, "\(name)") }
  }

  @Test(arguments: [0x0000, 0x2000, 0x8000, 0x6101, 0x9c41, 0x2001, 0x8002, 0x4002])
  func reservedEncodingsAreIllegal(bits: Int) throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        "la t0, 1f\n csrw mtvec, t0\n .half \(bits)\n .balign 4\n 1: \(GuestProgram.finish)"))
    let exit = rig.run()
    #expect(exit == .ended(.passed))
    let registers = try rig.registers()
    #expect(registers.cause == 2)
    #expect(registers.value == UInt64(bits))
  }
}
