import FSRGuestSupport
import FSRTestSupport
import Testing

@Suite(.enabled(if: GuestProgram.isClangThere)) struct ArithmeticTests {
  /// What `instruction a0, a1, a2` leaves in a0.
  private static func results(_ cases: [(String, UInt64, UInt64, UInt64)]) throws {
    for chunk in stride(from: 0, to: cases.count, by: 8) {
      let part = cases[chunk..<min(chunk + 8, cases.count)]
      let targets = ["s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"]
      let text = zip(part, targets).map { item, target in
        let (instruction, a, b, _) = item
        return ".option norvc\n li a1, \(a)\n li a2, \(b)\n \(instruction) \(target), a1, a2\n"
      }
      let registers = try GuestProgram.registers(text.joined())
      for (item, target) in zip(part, targets) {
        #expect(registers[target] == item.3, "\(item.0) \(item.1) \(item.2)")
      }
    }
  }

  static let most = UInt64(1) << 63

  @Test func divisionHasNoTraps() throws {
    let ones = UInt64.max
    let word = UInt64(bitPattern: -(1 << 31))
    try Self.results([
      ("div", 7, 0, ones), ("divu", 7, 0, ones), ("rem", 7, 0, 7), ("remu", 7, 0, 7),
      ("div", Self.most, ones, Self.most), ("rem", Self.most, ones, 0),
      ("div", UInt64(bitPattern: -7), 2, UInt64(bitPattern: -3)),
      ("rem", UInt64(bitPattern: -7), 2, ones),
      ("divw", 7, 0, ones), ("divuw", 7, 0, ones), ("remw", 0x8000_0000, 0, word),
      ("remuw", 0x8000_0000, 0, word),
      ("divw", word, ones, word), ("remw", word, ones, 0),
      ("divuw", 0xffff_ffff_0000_0009, 0x1_0000_0002, 4),
      ("divw", UInt64(bitPattern: -9), 2, UInt64(bitPattern: -4)),
    ])
  }

  @Test func multiplicationKnowsItsSigns() throws {
    let ones = UInt64.max
    try Self.results([
      ("mul", ones, ones, 1), ("mulh", ones, ones, 0), ("mulhu", ones, ones, ones - 1),
      ("mulhsu", ones, ones, ones), ("mulhsu", 2, ones, 1), ("mulh", Self.most, Self.most, 1 << 62),
      ("mulhu", Self.most, 2, 1), ("mulw", 0x7fff_ffff, 2, UInt64(bitPattern: -2)),
    ])
  }

  @Test func shiftsTakeTheLowBitsOfTheirCount() throws {
    try Self.results([
      ("sll", 1, 64 + 3, 8), ("srl", Self.most, 63, 1), ("sra", Self.most, 63, .max),
      ("sllw", 1, 31, UInt64(bitPattern: -(1 << 31))), ("sllw", 1, 32, 1),
      ("srlw", 0xffff_ffff_8000_0000, 31, 1), ("sraw", 0x8000_0000, 31, .max),
      ("srlw", 0x8000_0000, 32, 0xffff_ffff_8000_0000),
    ])
  }

  @Test func wordsAreSignExtended() throws {
    try Self.results([
      ("addw", 0x7fff_ffff, 1, 0xffff_ffff_8000_0000), ("subw", 0, 1, .max),
      ("add", .max, 1, 0), ("sub", 0, 1, .max), ("slt", .max, 0, 1), ("sltu", .max, 0, 0),
      ("xor", 0xff00, 0x0ff0, 0xf0f0), ("and", 0xff00, 0x0ff0, 0x0f00), ("or", 0xff00, 0x0ff0, 0xfff0),
    ])
  }

  @Test func immediatesAreSignExtended() throws {
    let registers = try GuestProgram.registers(
      """
      .option norvc
      li a1, 5
      addi s2, a1, -2048
      slti s3, a1, -1
      sltiu s4, a1, -1
      xori s5, a1, -1
      andi s6, a1, -4
      ori s7, a1, -16
      lui s8, 0x80000
      auipc s9, 0xfffff
      addiw s10, s8, -1
      li a2, -8
      srai s11, a2, 1
      srli t3, a2, 60
      slli t4, a2, 60
      sraiw t0, s8, 31
      srliw t1, s8, 31
      slliw t2, a1, 31
      addi zero, a1, 1
      mv a3, zero
      """)
    let expected: [(String, Int64)] = [
      ("s2", -2043), ("s3", 0), ("s4", 1), ("s5", -6), ("s6", 4), ("s7", -11), ("s8", -0x8000_0000),
      ("s9", 0x7fff_f020), ("s10", 0x7fff_ffff), ("s11", -4), ("t3", 15), ("t4", Int64.min), ("t0", -1),
      ("t1", 1),
      ("t2", -0x8000_0000), ("a3", 0),
    ]
    for (name, value) in expected { #expect(Int64(bitPattern: registers[name]) == value, "\(name)") }
  }
}
