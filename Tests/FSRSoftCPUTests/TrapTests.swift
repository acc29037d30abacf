import FSRGuestSupport
import FSRMachine
internal import FSRState
import FSRTestSupport
import Testing

@Suite(.enabled(if: GuestProgram.isClangThere)) struct TrapTests {
  /// Runs `text`, which is to trap, under a handler that ends the guest.
  private static func trapped(_ text: String) throws -> HartRegisters {
    let rig = try GuestRig(
      GuestProgram.assemble(
        "la t0, handler\n csrw mtvec, t0\n .balign 8\n .option norvc\nat: \(text)\n .balign 4\nhandler:\n la s0, at\n"
          + GuestProgram.finish))
    let exit = rig.run()
    #expect(exit == .ended(.passed))
    return try rig.registers()
  }

  private static func expect(
    _ text: String, cause: UInt64, value: UInt64?, at offset: UInt64,
    _ place: SourceLocation = #_sourceLocation
  ) throws {
    let registers = try trapped(text)
    #expect(registers.cause == cause, sourceLocation: place)
    #expect(registers.value == value ?? registers["s0"], sourceLocation: place)
    #expect(registers.exceptionPC == registers["s0"] + offset, sourceLocation: place)
  }

  @Test func exceptionsSayWhatAndWhere() throws {
    try Self.expect("ecall", cause: 11, value: 0, at: 0)
    try Self.expect("ebreak", cause: 3, value: 0, at: 0)
    try Self.expect(".word 0xffffffff", cause: 2, value: 0xffff_ffff, at: 0)
    try Self.expect("sret", cause: 2, value: 0x1020_0073, at: 0)
    try Self.expect("ld a0, 8(zero)", cause: 5, value: 8, at: 0)
    try Self.expect("sb a0, -1(zero)", cause: 7, value: .max, at: 0)
    try Self.expect("li a1, 0x80100000\n lw a0, 0(a1)", cause: 5, value: 0x8010_0000, at: 8)
    try Self.expect("li a1, 0x800ffffd\n sw a0, 0(a1)", cause: 7, value: 0x8010_0000, at: 12)
    try Self.expect("la a1, data\n addi a1, a1, 2\n lr.w a0, (a1)", cause: 4, value: 0x8000_1002, at: 12)
    try Self.expect(
      "la a1, data\n addi a1, a1, 4\n amoadd.d a0, a0, (a1)", cause: 6, value: 0x8000_1004, at: 12)
    try Self.expect("amoadd.w a0, a0, (zero)", cause: 7, value: 0, at: 0)
    try Self.expect("lr.d a0, (zero)", cause: 5, value: 0, at: 0)
  }

  /// The value is the address of the part that is not there.
  @Test func anAccessOverTheEndOfRAMFaultsAtItsEnd() throws {
    for (instruction, cause) in [("ld", 5), ("lhu", 5), ("sh", 7), ("sd", 7)] {
      try Self.expect(
        "li a1, 0x800fffff\n \(instruction) a0, 0(a1)", cause: UInt64(cause), value: 0x8010_0000, at: 12)
    }
    try Self.expect("li a1, 0x7fffffff\n lw a0, 0(a1)", cause: 5, value: 0x7fff_ffff, at: 8)
  }

  @Test func aJumpOutOfRAMIsAFaultOfItsTarget() throws {
    let registers = try Self.trapped("li a1, 0x1000\n jr a1")
    #expect(registers.cause == 1)
    #expect(registers.value == 0x1000)
    #expect(registers.exceptionPC == 0x1000)
  }

  @Test(arguments: [
    "pmpcfg0", "pmpaddr0", "satp", "medeleg", "mideleg", "mcounteren", "sstatus", "fcsr", "0x7c0",
  ])
  func absentRegistersAreIllegal(name: String) throws {
    let registers = try Self.trapped("csrr a0, \(name)")
    #expect(registers.cause == 2)
    #expect(registers.value & 0x7f == 0x73)
  }

  @Test func readOnlyRegistersAreNotWritten() throws {
    #expect(try Self.trapped("csrw mhartid, a0").cause == 2)
    #expect(try Self.trapped("csrw cycle, a0").cause == 2)
    let registers = try GuestProgram.registers("csrrs a0, mhartid, zero\n csrrci a1, mvendorid, 0")
    #expect(registers["a1"] == 0)
  }

  @Test func registersHoldWhatTheyCan() throws {
    let registers = try GuestProgram.registers(
      """
      li a0, -1
      csrw mstatus, a0
      csrr s2, mstatus
      csrw mie, a0
      csrr s3, mie
      csrw mie, zero
      csrw mepc, a0
      csrr s4, mepc
      li a1, 0x80000101
      csrw mtvec, a1
      csrw mtvec, a0
      csrr s5, mtvec
      csrr s6, misa
      csrw misa, zero
      csrr s7, misa
      csrrw s8, mscratch, a0
      csrrc s9, mscratch, 5
      csrr s10, mscratch
      csrw mstatus, zero
      csrrsi s11, mstatus, 8
      csrr t4, mstatus
      csrw tselect, a0
      csrr t3, tselect
      csrw mtval, a0
      csrw mcause, a0
      """)
    let expected: [(String, UInt64)] = [
      ("s2", 0x1888), ("s3", 0x888), ("s4", .max - 1), ("s5", 0x8000_0101), ("s6", 0x8000_0000_0000_1105),
      ("s7", 0x8000_0000_0000_1105), ("s8", 0), ("s9", .max), ("s10", .max - 5), ("s11", 0x1800),
      ("t4", 0x1808), ("t3", 0),
    ]
    for (name, value) in expected { #expect(registers[name] == value, "\(name)") }
    #expect(registers.value == .max)
    #expect(registers.cause == .max)
  }

  @Test func countersCountInstructionsThatRetire() throws {
    let registers = try GuestProgram.registers(
      """
      la t0, 1f
      csrw mtvec, t0
      li a0, 1000
      csrw minstret, a0
      csrr s2, minstret
      csrr s3, instret
      ecall
      .balign 4
      1:
      csrr s4, minstret
      csrw mcycle, zero
      csrr s5, mcycle
      csrr s6, cycle
      csrr s7, mhpmcounter3
      csrr s8, hpmcounter31
      """)
    #expect(
      ["s2", "s3", "s4", "s5", "s6", "s7", "s8"].map { registers[$0] } == [1000, 1001, 1002, 0, 1, 0, 0])
  }

  @Test func anInterruptedProgramGoesOnWhereItWas() throws {
    let registers = try GuestProgram.registers(
      """
      .option norvc
      la t0, vectors
      ori t0, t0, 1
      csrw mtvec, t0
      csrwi mie, 8
      li a1, 0x2000000
      li a2, 1
      sw a2, 0(a1)
      li s2, 1
      csrsi mstatus, 8
      at:
      addi s2, s2, 1
      j end
      .balign 256
      vectors:
      j wrong
      j wrong
      j wrong
      sw zero, 0(a1)
      csrr s3, mcause
      csrr s4, mepc
      csrr s5, mstatus
      mret
      wrong:
      li s2, 99
      end:
      csrr s6, mstatus
      la s7, at
      """)
    #expect(registers["s2"] == 2)
    #expect(registers["s3"] == UInt64(1) << 63 | 3)
    #expect(registers["s4"] == registers["s7"])
    #expect(registers["s5"] == 0x1880)
    #expect(registers["s6"] == 0x1888)
  }

  @Test func codeThatWasWrittenRunsAfterFenceI() throws {
    let registers = try GuestProgram.registers(
      """
      .option norvc
      la a1, 2f
      lw a2, 0(a1)
      la a3, one
      li a4, 0
      again:
      call one
      bnez a4, 3f
      sw a2, 0(a3)
      fence.i
      li a4, 1
      j again
      one:
      li s2, 1
      ret
      2:
      li s2, 2
      3:
      """)
    #expect(registers["s2"] == 2)
  }
}
