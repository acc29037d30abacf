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

  private static let text = """
      bnez a0, park
      li s0, 0x10000000        # UART
      li t0, 1
      sb t0, 2(s0)             # FIFOs on
      la a1, greeting
    1:
      lbu t0, 0(a1)
      beqz t0, next
      sb t0, 0(s0)
      addi a1, a1, 1
      j 1b
    next:
      lbu t0, 5(s0)
      andi t0, t0, 1
      beqz t0, next
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

  /// Builds it in `place`; answers the ELF's path.
  static func build(in place: borrowing TemporaryDirectory) throws -> String {
    try place.directory.openFile("echo.elf", .createNew).write(GuestProgram.assemble(text))
    return place.path + "/echo.elf"
  }

  /// What the guest prints for `flood`.
  static let floodOutput: [UInt8] = (0..<floodLines).flatMap { number -> [UInt8] in
    let digits = String(number, radix: 16)
    return Array((String(repeating: "0", count: 8 - digits.count) + digits + "\n").utf8)
  }
}
