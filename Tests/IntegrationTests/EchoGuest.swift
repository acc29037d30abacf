import FSRSystem
import FSRTestSupport

/// A guest that says `ready`, and then answers every byte with the same byte, but for a few that it obeys.
enum EchoGuest {
  static let greeting = Array("ready\r\n".utf8)
  /// Ends the guest well.
  static let pass: UInt8 = 1
  /// Ends it with code 7.
  static let fail: UInt8 = 2
  /// Prints lines with the numbers from 0 to `floodLines` - 1, in eight hexadecimal digits.
  static let flood: UInt8 = 3
  /// Prints such lines without end.
  static let pour: UInt8 = 4
  static let floodLines = 0x20000

  /// Waits for a byte by looking for it again and again.
  private static let look = """
      lbu t0, 5(s0)
      andi t0, t0, 1
      beqz t0, next
    """
  /// Has the serial port interrupt where something is typed; no hart takes an interrupt.
  private static let arm = """
      sb t0, 1(s0)
      li t1, 0x0c000000        # PLIC
      sw t0, 40(t1)
      li t1, 0x0c002000
      li t2, 0x400
      sw t2, 0(t1)
      li s3, 0x0c200000
      li t1, 0x800
      csrw mie, t1
    """
  /// Sleeps until the serial port interrupts, which it is then done with.
  private static let sleep = """
      lbu t0, 5(s0)
      andi t0, t0, 1
      bnez t0, typed
      wfi
      lw t0, 4(s3)
      sw t0, 4(s3)
      j next
    typed:
    """

  private static func text(sleeps: Bool) -> String {
    """
      bnez a0, park
      li s0, 0x10000000        # UART
      li t0, 1
      sb t0, 2(s0)             # FIFOs on
    \(sleeps ? arm : "")
      la a1, greeting
    1:
      lbu t0, 0(a1)
      beqz t0, next
      sb t0, 0(s0)
      addi a1, a1, 1
      j 1b
    next:
    \(sleeps ? sleep : look)
      lbu t0, 0(s0)
      li s2, 0x5555
      li t1, \(pass)
      beq t0, t1, end
      li s2, 0x73333
      li t1, \(fail)
      beq t0, t1, end
      li s2, \(floodLines)
      li t1, \(flood)
      beq t0, t1, lines
      li s2, -1
      li t1, \(pour)
      beq t0, t1, lines
      sb t0, 0(s0)
      j next
    lines:
      li s1, 0
    1:
      beq s1, s2, next
      li t2, 28
    2:
      srl t0, s1, t2
      andi t0, t0, 15
      addi t0, t0, 48
      li t1, 58
      blt t0, t1, 3f
      addi t0, t0, 39
    3:
      sb t0, 0(s0)
      addi t2, t2, -4
      bgez t2, 2b
      li t0, 10
      sb t0, 0(s0)
      addi s1, s1, 1
      j 1b
    end:
      li t1, 0x100000
      sw s2, 0(t1)
    park:
      wfi
      j park
    greeting:
      .asciz "ready\\r\\n"
      .balign 4
    """
  }

  /// Builds it in `place`; answers the ELF's path.
  ///
  /// - Parameter sleeps: whether it sleeps while nothing is typed, and somebody has to wake it.
  static func build(in place: borrowing TemporaryDirectory, sleeps: Bool = false) throws -> String {
    try place.directory.openFile("echo.elf", .createNew).write(GuestProgram.assemble(text(sleeps: sleeps)))
    return place.path + "/echo.elf"
  }

  /// Far more instructions than it executes before it looks for what is typed.
  private static let beginning = 1000.0

  /// Starts it on `vm`, and returns once it looks for what is typed: it sets its serial port up first, by which a byte goes
  /// that has come before.
  static func run(on vm: TestVM, in place: borrowing TemporaryDirectory, _ options: [String]) throws {
    try vm.run(["--guest", try build(in: place)] + options)
    let looks = try TestVM.wait { try vm.instructions() ?? 0 > beginning }
    if !looks { throw Unexpected("the guest does not begin") }
  }

  /// What the guest prints for `flood`.
  static let floodOutput: [UInt8] = (0..<floodLines).flatMap { number -> [UInt8] in
    let digits = String(number, radix: 16)
    return Array((String(repeating: "0", count: 8 - digits.count) + digits + "\n").utf8)
  }
}
