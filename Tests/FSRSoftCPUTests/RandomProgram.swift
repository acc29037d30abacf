import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
import FSRState
import FSRTestSupport

/// A seeded source of numbers (SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}

/// A guest program of instructions drawn by chance, which goes round for ever.
///
/// Its registers: x5 to x7 and x10 to x12 hold values; x8 and x9 point to data, x13 nowhere, x14 to a device,
/// x15 to the last bytes of RAM. x27 to x31 are the trap handler's, which adds up what it sees in x31 and goes on
/// behind the instruction.
struct RandomProgram {
  static let ramSize: UInt64 = 1 << 20
  static let data: UInt64 = 0x8_0000
  private static let values: [UInt32] = [5, 6, 7, 10, 11, 12]
  /// The kinds of instructions, by name; the last two are short sequences.
  static let kinds = Array(encoders.keys).sorted() + ["jalr", "ret"]

  private var numbers: SeededNumbers
  /// Where in RAM it starts.
  let start: UInt64
  private var code: [(kind: String, bits: UInt32, target: Int?)] = []

  /// - Parameter start: where in RAM, a multiple of 4 and at least 256.
  init(seed: UInt64, start: UInt64 = 256) {
    numbers = SeededNumbers(seed: seed)
    self.start = start
  }

  /// Adds an instruction of some kind. A branch may go some instructions back, other jumps go ahead, so that the
  /// program gets round.
  mutating func add() {
    let kind = Self.kinds.randomElement(using: &numbers)!
    let isBranch = kind.hasPrefix("b") || kind.hasPrefix("c.b")
    if kind == "jalr" || kind == "ret" {
      add("addi", then: kind)
    } else {
      append(kind, reach: isBranch ? -2...8 : 1...6)
    }
  }

  /// Adds an instruction and another behind it, where jumps go two instructions ahead at most. Before an indirect
  /// jump comes what it needs.
  mutating func add(_ first: String, then second: String) {
    switch second {
    case "jalr":
      // auipc x26, 0
      append(bits: 0x0000_0d17)
      append(first, reach: 1...1)
      let offset = 8 + Self.length(code.last!.bits)
      append(bits: Self.immediate(offset, 26, 0, numbers.next() % 2 == 0 ? 0 : 6, 0x67))
    case "ret":
      // A call, and a jump over the function: jal x1, .+6; c.j
      append("call", bits: 0x0000_00ef, target: code.count + 2)
      append("c.j", bits: 0xa001, target: code.count + 3)
      append(first, reach: 1...1)
      append(bits: 0x0000_8067)
    default:
      append(first == "jalr" || first == "ret" ? "addi" : first, reach: 1...2)
      append(second, reach: 1...2)
    }
  }

  private mutating func append(_ kind: String, reach: ClosedRange<Int>) {
    // A sequence cannot be part of another.
    guard let encoder = Self.encoders[kind] else { return append(bits: 0x0000_0013) }
    let target = Self.jumps[kind].map { _ in code.count + Int.random(in: reach, using: &numbers) }
    var operands = Operands(numbers: numbers)
    let bits = encoder(&operands)
    numbers = operands.numbers
    append(kind, bits: bits, target: target)
  }

  private mutating func append(_ kind: String = "", bits: UInt32, target: Int? = nil) {
    code.append((kind, bits, target))
  }

  private static func length(_ bits: UInt32) -> UInt32 { bits & 3 == 3 ? 4 : 2 }

  mutating func number(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &numbers) }

  /// A machine that is about to start it.
  func rig() throws -> GuestRig {
    let rig = try GuestRig(memory: GuestMemory(size: Self.ramSize))
    Self.write(Self.handler, to: 0, rig.memory)
    Self.write(Self.prologue(at: start), to: start, rig.memory)
    let first = start + UInt64(Self.prologue(at: start).count * 4)
    var offsets = [first]
    for instruction in code { offsets.append(offsets.last! + UInt64(Self.length(instruction.bits))) }
    for (index, instruction) in code.enumerated() {
      var bits = instruction.bits
      if let target = instruction.target {
        let to = offsets[max(0, min(target, code.count))]
        bits |= Self.jump(instruction.kind, by: to &- offsets[index])
      }
      rig.memory.store(UInt16(truncatingIfNeeded: bits), at: offsets[index])
      if bits & 3 == 3 { rig.memory.store(UInt16(bits >> 16), at: offsets[index] + 2) }
    }
    let end = offsets.last!
    let jump = 0x6f | Self.jump("jal", by: first &- end)
    rig.memory.store(UInt16(truncatingIfNeeded: jump), at: end)
    rig.memory.store(UInt16(jump >> 16), at: end + 2)
    var content = SeededNumbers(seed: 1)
    for word in 0..<512 { rig.memory.store(content.next(), at: Self.data + UInt64(word * 8)) }
    rig.cpus[0].reset(entry: BoardMap.ram + start, deviceTree: 0)
    return rig
  }

  private static func write(_ words: [UInt32], to offset: UInt64, _ memory: GuestMemory) {
    for (index, word) in words.enumerated() { memory.store(word, at: offset + UInt64(index * 4)) }
  }

  /// The hart's whole state, and what the program may have written.
  static func state(_ rig: GuestRig) -> [UInt8] {
    var writer = ByteWriter()
    rig.cpus[0].save(to: &writer)
    return writer.bytes + rig.memory.bytes(at: data, count: 8192)
      + rig.memory.bytes(at: ramSize - 4096, count: 4096)
  }

  // MARK: encodings

  /// What instructions are about.
  struct Operands {
    var numbers: SeededNumbers
    mutating func value() -> UInt32 { RandomProgram.values.randomElement(using: &numbers)! }
    /// Mostly data.
    mutating func base() -> UInt32 { [8, 8, 8, 9, 8, 8, 9, 8, 13, 14, 15].randomElement(using: &numbers)! }
    mutating func below(_ limit: UInt32) -> UInt32 { UInt32.random(in: 0..<limit, using: &numbers) }
    /// A target register, now and then x0.
    mutating func target() -> UInt32 { below(16) == 0 ? 0 : value() }
    /// A source register, now and then x0.
    mutating func source() -> UInt32 { below(16) == 0 ? 0 : value() }
  }

  /// Where the parts of a jump's offset are in its bits: from which bit, how many, to which.
  private static let jumps: [String: [[UInt32]]] = {
    let branch: [[UInt32]] = [[12, 1, 31], [5, 6, 25], [1, 4, 8], [11, 1, 7]]
    let compressed: [[UInt32]] = [[8, 1, 12], [3, 2, 10], [6, 2, 5], [1, 2, 3], [5, 1, 2]]
    var jumps = ["c.beqz": compressed, "c.bnez": compressed]
    for name in ["beq", "bne", "blt", "bge", "bltu", "bgeu"] { jumps[name] = branch }
    jumps["call"] = [[20, 1, 31], [1, 10, 21], [11, 1, 20], [12, 8, 12]]
    jumps["jal"] = [[20, 1, 31], [1, 10, 21], [11, 1, 20], [12, 8, 12]]
    jumps["c.j"] = [
      [11, 1, 12], [4, 1, 11], [8, 2, 9], [10, 1, 8], [6, 1, 7], [7, 1, 6], [1, 3, 3], [5, 1, 2],
    ]
    return jumps
  }()

  /// The bits of a jump of this kind by `offset`.
  private static func jump(_ kind: String, by offset: UInt64) -> UInt32 {
    jumps[kind]!.reduce(0) { bits, part in
      bits | (UInt32(truncatingIfNeeded: offset >> UInt64(part[0])) % (1 << part[1])) << part[2]
    }
  }

  typealias Encoder = @Sendable (inout Operands) -> UInt32

  private static let encoders: [String: Encoder] = {
    var all: [String: Encoder] = [:]
    let registers: [(String, UInt32, UInt32, UInt32)] = [
      ("add", 0, 0, 0x33), ("sub", 32, 0, 0x33), ("sll", 0, 1, 0x33), ("slt", 0, 2, 0x33),
      ("sltu", 0, 3, 0x33),
      ("xor", 0, 4, 0x33), ("srl", 0, 5, 0x33), ("sra", 32, 5, 0x33), ("or", 0, 6, 0x33), ("and", 0, 7, 0x33),
      ("addw", 0, 0, 0x3b), ("subw", 32, 0, 0x3b), ("sllw", 0, 1, 0x3b), ("srlw", 0, 5, 0x3b),
      ("sraw", 32, 5, 0x3b), ("mul", 1, 0, 0x33), ("mulh", 1, 1, 0x33), ("mulhsu", 1, 2, 0x33),
      ("mulhu", 1, 3, 0x33), ("div", 1, 4, 0x33), ("divu", 1, 5, 0x33), ("rem", 1, 6, 0x33),
      ("remu", 1, 7, 0x33), ("mulw", 1, 0, 0x3b), ("divw", 1, 4, 0x3b), ("divuw", 1, 5, 0x3b),
      ("remw", 1, 6, 0x3b), ("remuw", 1, 7, 0x3b),
    ]
    for (name, high, function, opcode) in registers {
      all[name] = {
        high << 25 | $0.source() << 20 | $0.source() << 15 | function << 12 | $0.target() << 7 | opcode
      }
    }
    let immediates: [(String, UInt32, UInt32)] = [
      ("addi", 0, 0x13), ("slti", 2, 0x13), ("sltiu", 3, 0x13), ("xori", 4, 0x13), ("ori", 6, 0x13),
      ("andi", 7, 0x13), ("addiw", 0, 0x1b),
    ]
    for (name, function, opcode) in immediates {
      all[name] = {
        $0.below(4096) << 20 | $0.source() << 15 | function << 12 | $0.target() << 7 | opcode
      }
    }
    let shifts: [(String, UInt32, UInt32, UInt32, UInt32)] = [
      ("slli", 0, 1, 0x13, 64), ("srli", 0, 5, 0x13, 64), ("srai", 1, 5, 0x13, 64), ("slliw", 0, 1, 0x1b, 32),
      ("srliw", 0, 5, 0x1b, 32), ("sraiw", 1, 5, 0x1b, 32),
    ]
    for (name, high, function, opcode, limit) in shifts {
      all[name] = {
        high << 30 | $0.below(limit) << 20 | $0.source() << 15 | function << 12 | $0.target() << 7 | opcode
      }
    }
    for (function, name) in ["lb", "lh", "lw", "ld", "lbu", "lhu", "lwu"].enumerated() {
      all[name] = {
        $0.below(64) << 20 | $0.base() << 15 | UInt32(function) << 12 | $0.target() << 7 | 0x03
      }
    }
    for (function, name) in ["sb", "sh", "sw", "sd"].enumerated() {
      all[name] = {
        let offset = $0.below(64)
        let place = (offset >> 5) << 25 | (offset & 31) << 7
        return place | $0.source() << 20 | $0.base() << 15 | UInt32(function) << 12 | 0x23
      }
    }
    for (function, name) in [(0, "beq"), (1, "bne"), (4, "blt"), (5, "bge"), (6, "bltu"), (7, "bgeu")] {
      all[name] = { $0.source() << 20 | $0.source() << 15 | UInt32(function) << 12 | 0x63 }
    }
    for (high, name) in [
      (0, "amoadd"), (1, "amoswap"), (2, "lr"), (3, "sc"), (4, "amoxor"), (8, "amoor"), (12, "amoand"),
      (16, "amomin"), (20, "amomax"), (24, "amominu"), (28, "amomaxu"),
    ] {
      all[name] = {
        let second = high == 2 ? 0 : $0.source()
        return UInt32(high) << 27 | second << 20 | $0.base() << 15 | (2 + $0.below(2)) << 12
          | $0.target() << 7 | 0x2f
      }
    }
    all["lui"] = { $0.below(1 << 20) << 12 | $0.target() << 7 | 0x37 }
    all["auipc"] = { $0.below(1 << 20) << 12 | $0.target() << 7 | 0x17 }
    all["jal"] = { [0, 6, $0.value()][Int($0.below(3))] << 7 | 0x6f }
    all["fence"] = { _ in 0x0ff0_000f }
    all["fence.i"] = { _ in 0x0000_100f }
    all["minstret"] = { 0xb020_2073 | $0.target() << 7 }
    all["mcycle"] = { 0xb000_2073 | $0.target() << 7 }
    all["mscratch"] = { 0x3400_1073 | $0.source() << 15 | $0.target() << 7 }
    all["ecall"] = { _ in 0x73 }
    all["unknown"] = { _ in 0xffff_ffff }
    all["c.nop"] = { _ in 0x0001 }
    all["c.addi"] = { $0.value() << 7 | (1 + $0.below(31)) << 2 | 0x0001 }
    all["c.li"] = { $0.value() << 7 | $0.below(32) << 2 | 0x4001 }
    all["c.mv"] = { $0.value() << 7 | $0.value() << 2 | 0x8002 }
    all["c.add"] = { $0.value() << 7 | $0.value() << 2 | 0x9002 }
    all["c.slli"] = { $0.value() << 7 | (1 + $0.below(31)) << 2 | 0x0002 }
    all["c.ld"] = { (2 + $0.below(3)) << 2 | (($0.base() - 8) << 7) | 0x6000 }
    all["c.sd"] = { (2 + $0.below(3)) << 2 | (($0.base() - 8) << 7) | 0xe000 }
    all["c.xor"] = { (2 + $0.below(3)) << 2 | (2 + $0.below(3)) << 7 | 0x8c21 }
    all["c.beqz"] = { (2 + $0.below(3)) << 7 | 0xc001 }
    all["c.bnez"] = { (2 + $0.below(3)) << 7 | 0xe001 }
    all["c.j"] = { _ in 0xa001 }
    return all
  }()

  // MARK: fixed parts

  private static func immediate(
    _ value: UInt32, _ rs1: UInt32, _ function: UInt32, _ rd: UInt32, _ opcode: UInt32
  )
    -> UInt32
  {
    value << 20 | rs1 << 15 | function << 12 | rd << 7 | opcode
  }

  private static func sum(_ rd: UInt32, _ rs2: UInt32, function: UInt32 = 0) -> UInt32 {
    rs2 << 20 | rd << 15 | function << 12 | rd << 7 | 0x33
  }

  /// Sets a register to an address below 4 GiB.
  private static func address(_ rd: UInt32, _ value: UInt32, plus offset: UInt32 = 0) -> [UInt32] {
    [
      value | rd << 7 | 0x37, immediate(32, rd, 1, rd, 0x13), immediate(32, rd, 5, rd, 0x13),
      immediate(offset & 0xfff, rd, 0, rd, 0x13),
    ]
  }

  /// What every trap comes to: mixes mcause, mepc and mtval into x31, and goes on behind the instruction.
  private static let handler: [UInt32] = [
    immediate(0x342, 0, 2, 28, 0x73), immediate(0x341, 0, 2, 29, 0x73), immediate(0x343, 0, 2, 30, 0x73),
    immediate(5, 31, 1, 27, 0x13), immediate(59, 31, 5, 31, 0x13), sum(31, 27, function: 6),
    sum(31, 28), sum(31, 29), sum(31, 30),
    // The instruction's low bits tell its length.
    immediate(0, 29, 5, 28, 0x03), immediate(3, 28, 7, 28, 0x13), immediate(0xffd, 28, 0, 28, 0x13),
    immediate(1, 28, 3, 28, 0x13), immediate(1, 28, 1, 28, 0x13), immediate(2, 28, 0, 28, 0x13),
    sum(29, 28), immediate(0x341, 29, 1, 0, 0x73), 0x3020_0073,
  ]

  private static func prologue(at start: UInt64) -> [UInt32] {
    let ram = UInt32(BoardMap.ram)
    var words = address(28, ram) + [immediate(0x305, 28, 1, 0, 0x73)]
    words += address(8, ram + UInt32(data), plus: 256) + address(9, ram + UInt32(data), plus: 1027)
    words += address(13, 0x4000_0000) + address(14, 0x0200_4000)
    words += address(15, ram + UInt32(ramSize), plus: 0xffc)
    for (index, register) in values.enumerated() {
      words.append(immediate(UInt32(index * 8), 8, 3, register, 0x03))
    }
    // A return without a call, and an indirect jump without its address, lead here.
    return words + [0x0000_0097, 0x0000_0d17]
  }
}
