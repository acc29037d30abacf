import FSRTestSupport

/// Makes streams of random instructions that come to their end: jumps go forward, loops are counted, and loads and
/// stores stay in the stream's memory, apart from those that are meant to trap.
struct StreamGenerator {
  /// What a stream is.
  struct Stream {
    let code: [UInt8]
    let base: UInt32
    /// Makes the registers and the memory it starts with.
    let seed: UInt64
  }

  var chance: SeededGenerator
  /// Points into the middle of the stream's memory.
  let base: UInt32
  /// Registers that are not to be written now: the base, counters of loops, addresses in use.
  var reserved: Set<UInt32>

  private init(seed: UInt64) {
    chance = SeededGenerator(seed: seed)
    base = UInt32.random(in: 1...31, using: &chance)
    reserved = [base]
  }

  /// The stream of `seed`: the same one each time.
  static func stream(seed: UInt64) -> Stream {
    var generator = StreamGenerator(seed: seed)
    let count = Int.random(in: 10...50, using: &generator.chance)
    let code = generator.block(count, depth: 0)
    // c.ebreak ends it.
    return Stream(
      code: code + Instruction(half: 0x9002).bytes, base: generator.base,
      seed: UInt64.random(in: .min ... .max, using: &generator.chance))
  }

  /// About `count` instructions.
  mutating func block(_ count: Int, depth: Int) -> [UInt8] {
    var code: [UInt8] = []
    for _ in 0..<count { code += piece(depth: depth) }
    return code
  }

  private mutating func piece(depth: Int) -> [UInt8] {
    switch number(0...99) {
    case 0..<24: arithmetic()
    case 24..<44: compressedArithmetic()
    case 44..<62: access()
    case 62..<68: compressedAccess()
    case 68..<76: atomic()
    case 76..<86: branch(depth: depth)
    case 86..<90: jump(depth: depth)
    case 90..<93: depth < 2 ? loop(depth: depth) : arithmetic()
    case 93..<96: control()
    case 96..<99: trap()
    default: (oneOf([Instruction(word: 0x0ff0_000f), Instruction(word: 0x0000_100f)])).bytes
    }
  }

  // MARK: choices

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &chance) }

  mutating func bits(_ width: UInt32) -> UInt32 { UInt32(number(0...(1 << Int(width) - 1))) }

  mutating func coin() -> Bool { Bool.random(using: &chance) }

  mutating func oneOf<T>(_ choices: [T]) -> T { choices[number(0...choices.count - 1)] }

  /// Any register, to be read.
  mutating func source() -> UInt32 { bits(5) }

  mutating func smallSource() -> UInt32 { 8 + bits(3) }

  /// A register that may be written; x0 is one.
  mutating func target() -> UInt32 {
    while true {
      let register = bits(5)
      if !reserved.contains(register) { return register }
    }
  }

  /// Not x0.
  mutating func realTarget() -> UInt32 {
    while true {
      let register = target()
      if register != 0 { return register }
    }
  }

  /// One of x8 to x15.
  mutating func smallTarget() -> UInt32 {
    while true {
      let register = 8 + bits(3)
      if !reserved.contains(register) { return register }
    }
  }

  /// An immediate of `width` bits, often one of its ends.
  mutating func immediate(_ width: Int) -> Int {
    let most = 1 << (width - 1)
    return number(0...2) == 0 ? oneOf([0, 1, -1, most - 1, -most, 2]) : number(-most...most - 1)
  }
}
