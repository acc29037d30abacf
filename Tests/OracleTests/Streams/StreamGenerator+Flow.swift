extension StreamGenerator {
  /// A branch over a few instructions, or not.
  mutating func branch(depth: Int) -> [UInt8] {
    let skipped = block(number(1...5), depth: 2)
    let (rs1, rs2) = (source(), number(0...3) == 0 ? 0 : source())
    if coin(), skipped.count + 2 < 256 {
      return Instruction.compressedBranch(ifZero: coin(), rs1: smallSource(), skipped.count + 2).bytes
        + skipped
    }
    let function: UInt32 = oneOf([0, 1, 4, 5, 6, 7])
    return Instruction.branch(function, rs1: rs1, rs2: rs2, skipped.count + 4).bytes + skipped
  }

  /// A jump over a few instructions, by each way there is.
  mutating func jump(depth: Int) -> [UInt8] {
    let skipped = block(number(0...4), depth: 2)
    switch number(0...3) {
    case 0: return Instruction.jump(rd: target(), skipped.count + 4).bytes + skipped
    case 1: return Instruction.compressedJump(skipped.count + 2).bytes + skipped
    case 2:
      let pointer = realTarget()
      // A jump by register drops the lowest bit.
      let offset = skipped.count + 8 + number(0...1)
      return Instruction.upper(0x17, rd: pointer, 0).bytes
        + Instruction.immediate(0x67, 0, rd: target(), rs1: pointer, offset).bytes + skipped
    default:
      let pointer = realTarget()
      let offset = skipped.count + 10 + number(0...1)
      return Instruction.upper(0x17, rd: pointer, 0).bytes
        + Instruction.addImmediate(rd: pointer, rs1: pointer, offset).bytes
        + Instruction.compressedJump(linking: !reserved.contains(1) && coin(), rs1: pointer).bytes + skipped
    }
  }

  /// A few instructions, a few times.
  mutating func loop(depth: Int) -> [UInt8] {
    let counter = coin() ? smallTarget() : realTarget()
    reserved.insert(counter)
    let rounds = number(1...5)
    let start =
      coin()
      ? Instruction.compressedImmediate(1, 2, rd: counter, rounds)
      : Instruction.addImmediate(rd: counter, rs1: 0, rounds)
    let step =
      coin()
      ? Instruction.compressedImmediate(1, 0, rd: counter, -1)
      : Instruction.addImmediate(rd: counter, rs1: counter, -1)
    let body = block(number(1...8), depth: depth + 1) + step.bytes
    reserved.remove(counter)
    return start.bytes + body + back(over: body.count, while: counter)
  }

  /// Goes `count` bytes back from here while `counter` is not 0.
  private mutating func back(over count: Int, while counter: UInt32) -> [UInt8] {
    if (8...15).contains(counter), count <= 256, coin() {
      return Instruction.compressedBranch(ifZero: false, rs1: counter, -count).bytes
    }
    switch number(0...2) {
    case 0: return Instruction.branch(1, rs1: counter, rs2: 0, -count).bytes
    case 1: return Instruction.branch(4, rs1: 0, rs2: counter, -count).bytes
    default:
      let over = Instruction.branch(0, rs1: 0, rs2: counter, 8).bytes
      return over + Instruction.jump(rd: 0, -count - 4).bytes
    }
  }
}
