import FSRGuestSupport
import FSRMachine
import FSRMemory
internal import FSRState
import FSRTestSupport
import Testing

@Suite(.enabled(if: GuestProgram.isClangThere)) struct MemoryAccessTests {
  @Test func loadsExtendAndMisalignedOnesWork() throws {
    let registers = try GuestProgram.registers(
      """
      la a0, data
      li a1, 0x8182838485868788
      sd a1, 3(a0)
      lb s2, 3(a0)
      lbu s3, 3(a0)
      lh s4, 3(a0)
      lhu s5, 3(a0)
      lw s6, 3(a0)
      lwu s7, 3(a0)
      ld s8, 3(a0)
      sh a1, 4093(a0)
      sw a1, 21(a0)
      ld s9, 16(a0)
      """.replacing("4093(a0)", with: "1021(a0)"))
    let expected: [(String, UInt64)] = [
      ("s2", 0xffff_ffff_ffff_ff88), ("s3", 0x88), ("s4", 0xffff_ffff_ffff_8788), ("s5", 0x8788),
      ("s6", 0xffff_ffff_8586_8788), ("s7", 0x8586_8788), ("s8", 0x8182_8384_8586_8788),
      ("s9", 0x8687_8800_0000_0000),
    ]
    for (name, value) in expected { #expect(registers[name] == value, "\(name)") }
  }

  @Test func atomicsAnswerTheOldValue() throws {
    let operations = [
      "amoswap", "amoadd", "amoxor", "amoand", "amoor", "amomin", "amomax", "amominu", "amomaxu",
    ]
    let word: [UInt32] = [
      0xffff_fff0, 0x7fff_ffef, 0x8000_000f, 0x7fff_fff0, 0xffff_ffff, 0xffff_fff0, 0x7fff_ffff, 0x7fff_ffff,
      0xffff_fff0,
    ]
    for (operation, result) in zip(operations, word) {
      let registers = try GuestProgram.registers(
        """
        la a0, data
        li a1, 0x7fffffff
        li a2, -16
        sw a1, 0(a0)
        \(operation).w s2, a2, (a0)
        lw s3, 0(a0)
        sd a1, 8(a0)
        addi a0, a0, 8
        \(operation).d s4, a2, (a0)
        ld s5, 0(a0)
        """)
      #expect(registers["s2"] == 0x7fff_ffff)
      #expect(registers["s3"] == UInt64(bitPattern: Int64(Int32(bitPattern: result))), "\(operation).w")
      #expect(registers["s4"] == 0x7fff_ffff)
      let a: UInt64 = 0x7fff_ffff
      let b = UInt64(bitPattern: -16)
      let double: [UInt64] = [b, a &+ b, a ^ b, a & b, a | b, b, a, a, b]
      #expect(registers["s5"] == double[operations.firstIndex(of: operation)!], "\(operation).d")
    }
  }

  @Test func aStoreConditionalNeedsItsReservation() throws {
    let registers = try GuestProgram.registers(
      """
      la a0, data
      li a1, 7
      sc.d s2, a1, (a0)
      lr.d s3, (a0)
      sc.d s4, a1, (a0)
      sc.d s5, a1, (a0)
      lr.d s6, (a0)
      sd a0, 0(a0)
      sc.d s7, a1, (a0)
      lr.w s8, (a0)
      addi a0, a0, 4
      sc.w s9, a1, (a0)
      """)
    #expect(["s2", "s3", "s4", "s5", "s6", "s7", "s9"].map { registers[$0] } == [1, 0, 0, 1, 7, 1, 1])
  }

  @Test func aReservationHoldsForAnyWidthAtItsAddress() throws {
    let registers = try GuestProgram.registers(
      """
      la a0, data
      li a1, 7
      lr.d s2, (a0)
      sc.w s3, a1, (a0)
      lr.w s4, (a0)
      sc.d s5, a1, (a0)
      li a2, 1 << 32
      sd a2, 0(a0)
      lr.w s6, (a0)
      sc.d s7, a1, (a0)
      ld s8, 0(a0)
      """)
    // The last one finds an upper half that is not the loaded word's sign.
    #expect(
      ["s3", "s4", "s5", "s6", "s7", "s8"].map { registers[$0] } == [0, 7, 0, 0, 1, 1 << 32])
  }

  @Test func aTrapDropsTheReservation() throws {
    let registers = try GuestProgram.registers(
      """
      .option norvc
      la t0, 1f
      csrw mtvec, t0
      la a0, data
      lr.d s2, (a0)
      ecall
      .balign 4
      1:
      sc.d s3, a1, (a0)
      la t0, 2f
      csrw mepc, t0
      lr.d s2, (a0)
      mret
      2:
      sc.d s4, a1, (a0)
      la t0, 3f
      csrw mtvec, t0
      csrwi mie, 8
      li a2, 0x2000000
      li a3, 1
      lr.d s2, (a0)
      sw a3, 0(a2)
      csrsi mstatus, 8
      j .
      .balign 4
      3:
      sc.d s5, a1, (a0)
      """)
    #expect(["s3", "s4", "s5"].map { registers[$0] } == [1, 1, 1])
  }

  @Test func aStoreConditionalThatFailsAnywayLooksAtNothing() throws {
    let registers = try GuestProgram.registers(
      """
      la a0, data
      sc.d s2, a1, (zero)
      lr.d s3, (a0)
      sc.w s4, a1, (zero)
      li a2, 0x800ffffc
      lr.w s5, (a2)
      addi a2, a2, 4
      sc.w s6, a1, (a2)
      """)
    #expect(["s2", "s4", "s6"].map { registers[$0] } == [1, 1, 1])
  }

  @Test func countersSharedByHartsOnThreadsAreExact() throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
          la a1, data
          li a2, 20000
          li a3, 1
        1: amoadd.d zero, a3, (a1)
          addi a4, a1, 64
        2: lr.w a5, (a4)
          addi a5, a5, 1
          sc.w a6, a5, (a4)
          bnez a6, 2b
          addi a2, a2, -1
          bnez a2, 1b
          addi a4, a1, 128
          amoadd.w a5, a3, (a4)
          li a6, 3
          bne a5, a6, wait

        """ + GuestProgram.finish + "wait: wfi\n j wait\n"), harts: 4, clock: HostClock())
    let end = rig.runThreads()
    #expect(end == .passed)
    #expect(rig.memory.load(0x1000, as: UInt64.self) == 80000)
    #expect(rig.memory.load(0x1040, as: UInt32.self) == 80000)
  }
}
