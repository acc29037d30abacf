import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
internal import FSRState
import FSRTestSupport
import Testing

/// A program run in one go, with what that means for traces and for two instructions in one step, must do what it
/// does one instruction at a time.
@Suite struct TraceTests {
  /// Runs `program` for `count` instructions in steps of `chunk`; answers the state.
  private static func state(_ program: RandomProgram, _ count: Int, by chunk: Int) throws -> [UInt8] {
    let rig = try program.rig()
    try run(rig, count, by: chunk)
    return RandomProgram.state(rig)
  }

  private static func run(_ rig: GuestRig, _ count: Int, by chunk: Int) throws {
    var left = count
    let before = try rig.registers().executed
    while left > 0 {
      let exit = rig.run(UInt64(min(chunk, left)))
      try #require(exit == .budget)
      left -= min(chunk, left)
    }
    let executed = try rig.registers().executed - before
    try #require(executed == UInt64(count))
  }

  @Test(arguments: 0..<60)
  func oneInstructionAtATimeEqualsAllAtOnce(seed: Int) throws {
    // Here and there it lies across the ends of pages.
    var program = RandomProgram(seed: UInt64(seed), start: 256 + UInt64(seed % 30) * 128)
    for _ in 0..<400 { program.add() }
    let expected = try Self.state(program, 4000, by: 1)
    for chunk in [4000, 1000, 97, 48, 47, 2] {
      let whole = try Self.state(program, 4000, by: chunk)
      #expect(whole == expected, "seed \(seed), chunks of \(chunk)")
    }
  }

  /// Without what leaves the loop, so that traces are long and linked.
  @Test(arguments: 100..<130)
  func longTracesEqualSingleInstructions(seed: Int) throws {
    let rare = ["ecall", "unknown", "fence.i", "minstret", "mcycle", "mscratch", "lr", "sc"]
    let kinds = RandomProgram.kinds.filter { !rare.contains($0) && !$0.hasPrefix("amo") }
    var program = RandomProgram(seed: UInt64(seed))
    for _ in 0..<150 {
      program.add(
        kinds[program.number(in: 0...kinds.count - 1)], then: kinds[program.number(in: 0...kinds.count - 1)])
    }
    let expected = try Self.state(program, 20_000, by: 1)
    let whole = try Self.state(program, 20_000, by: 20_000)
    #expect(whole == expected, "seed \(seed)")
  }

  /// Every kind of instruction is followed by every other; a fence keeps the pairs apart.
  @Test(arguments: RandomProgram.kinds)
  func everyPairDoesWhatItsInstructionsDo(first: String) throws {
    for seed in 1...3 {
      var program = RandomProgram(seed: UInt64(seed))
      for second in RandomProgram.kinds {
        program.add(first, then: second)
        program.add("fence", then: "fence")
      }
      let expected = try Self.state(program, 1000, by: 1)
      let whole = try Self.state(program, 1000, by: 1000)
      #expect(whole == expected, "\(first), seed \(seed)")
    }
  }

  @Test func aBudgetEndsAnywhere() throws {
    var program = RandomProgram(seed: 7)
    for _ in 0..<200 { program.add() }
    let single = try program.rig()
    for count in 1...300 {
      try Self.run(single, 1, by: 1)
      let rig = try program.rig()
      let exit = rig.run(UInt64(count))
      #expect(exit == .budget)
      #expect(RandomProgram.state(rig) == RandomProgram.state(single), "\(count) instructions")
    }
  }

  @Test(.enabled(if: GuestProgram.isClangThere))
  func aJumpIntoTheMiddleOfTwoInOneDoesTheSecondAlone() throws {
    let registers = try GuestProgram.registers(
      """
      li s2, 0
      li s3, 0
      li s4, 10
      addi s2, s2, 1
      1: addi s3, s3, 1
      addi s4, s4, -1
      bnez s4, 1b
      """)
    #expect(registers["s2"] == 1)
    #expect(registers["s3"] == 10)
  }

  /// Two loads, of which one is refused: the registers tell which were done.
  @Test(
    .enabled(if: GuestProgram.isClangThere),
    arguments: [("s1", "s0", 2, 2), ("s0", "s1", 4, 1)])
  func aTrapInEitherOfTwoInOneIsPrecise(first: String, second: String, offset: UInt64, sum: UInt64) throws {
    let rig = try GuestRig(
      GuestProgram.assemble(
        """
        la t0, 2f
        csrw mtvec, t0
        la s0, data
        li s1, 0x40000000
        li a0, 1
        li a1, 1
        sd zero, 0(s0)
        j 1f
        .balign 4
        1: c.nop
        c.ld a0, 0(\(first))
        c.ld a1, 0(\(second))
        .balign 4
        2: la t1, 1b
        csrr t2, mepc
        sub t2, t2, t1
        """ + "\n" + GuestProgram.finish))
    let exit = rig.run()
    #expect(exit == .ended(.passed))
    let registers = try rig.registers()
    #expect(registers.cause == 5)
    #expect(registers.value == 0x4000_0000)
    #expect(registers["t2"] == offset)
    #expect(registers["a0"] + registers["a1"] == sum)
  }

  @Test(.enabled(if: GuestProgram.isClangThere))
  func aReturnGoesWhereItIsTold() throws {
    let registers = try GuestProgram.registers(
      """
      li s2, 0
      li s3, 100
      1: jal ra, 3f
      addi s2, s2, 1
      .option norvc
      addi s2, s2, 16
      addi s3, s3, -1
      bnez s3, 1b
      j 4f
      3: andi t0, s3, 1
      slli t0, t0, 1
      add ra, ra, t0
      ret
      4:
      """)
    // Every other time the return goes behind the compressed addition.
    #expect(registers["s2"] == 100 * 16 + 50)
  }

  /// A device's register that is loaded again and again uses a slice up: a stop is seen after some of them.
  @Test(.enabled(if: GuestProgram.isClangThere))
  func aLoopOverADeviceStops() throws {
    let rig = try GuestRig(GuestProgram.assemble("li s0, 0x0200bff8\n 1: ld a0, 0(s0)\n j 1b"))
    rig.machine.requestStop()
    let stopped = rig.run()
    #expect(stopped == .stopped)
    rig.machine.clearStop()
    let exit = rig.run(5000)
    #expect(exit == .budget)
    let executed = try rig.registers().executed
    #expect(executed == 5000)
  }
}
