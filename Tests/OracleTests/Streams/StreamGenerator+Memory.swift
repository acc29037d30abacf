extension StreamGenerator {
  /// An offset from the base, which lies where two pages meet: aligned to `width`, near the seam, or any.
  private mutating func offset(_ width: Int) -> Int {
    switch number(0...3) {
    case 0, 1: number(-2048 / width...2047 / width) * width
    case 2: number(-9...9)
    default: number(-2048...2047)
    }
  }

  /// Makes `register` point into the stream's memory, `offset` from the base, and keeps it from being written until
  /// `release`.
  private mutating func point(_ register: UInt32, _ offset: Int) -> [UInt8] {
    reserved.insert(register)
    if offset == 0, coin() { return Instruction.compressedMove(adding: false, rd: register, rs2: base).bytes }
    return Instruction.addImmediate(rd: register, rs1: base, offset).bytes
  }

  private mutating func release(_ register: UInt32) { reserved.remove(register) }

  /// A load or store of any width, from the base or from a register that was made of it.
  mutating func access() -> [UInt8] {
    let isStore = coin()
    let function = isStore ? bits(2) : UInt32(number(0...6))
    let width = 1 << Int(function & 3)
    if coin() { return access(isStore, function, base, offset(width)) }
    let pointer = realTarget()
    let code = point(pointer, offset(width))
    release(pointer)
    // The loaded value may take the pointer's place.
    return code + access(isStore, function, pointer, offset(width))
  }

  private mutating func access(_ isStore: Bool, _ function: UInt32, _ pointer: UInt32, _ offset: Int)
    -> [UInt8]
  {
    if isStore { return Instruction.store(function, rs1: pointer, rs2: source(), offset).bytes }
    return Instruction.immediate(0x03, function, rd: target(), rs1: pointer, offset).bytes
  }

  /// The same in two bytes, by x8 to x15 or by the stack pointer.
  mutating func compressedAccess() -> [UInt8] {
    let (isStore, isDouble) = (coin(), coin())
    let width = isDouble ? 8 : 4
    if coin(), !reserved.contains(2) {
      let code = point(2, offset(width))
      release(2)
      let place = number(0...63) * width
      return code
        + (isStore
        ? Instruction.compressedStackStore(isDouble: isDouble, rs2: source(), place)
        : Instruction.compressedStackLoad(isDouble: isDouble, rd: realTarget(), place)).bytes
    }
    let pointer = smallTarget()
    let code = point(pointer, offset(width))
    release(pointer)
    let register = isStore ? smallSource() : smallTarget()
    return code
      + Instruction.compressedAccess(
        isStore: isStore, isDouble: isDouble, register: register, base: pointer, number(0...31) * width
      ).bytes
  }

  /// An AMO, a load-reserved with its store-conditional, or one of the two alone. The two are of one width: of two,
  /// QEMU 7.2 may store and say that it has not.
  mutating func atomic() -> [UInt8] {
    let isDouble = coin()
    let pointer = realTarget()
    let isMisaligned = number(0...15) == 0
    let aligned = number(-255...255) * 8
    if number(0...2) > 0 {
      let code = point(pointer, isMisaligned ? aligned + number(1...7) : aligned + (isDouble ? 0 : 4))
      release(pointer)
      let five: UInt32 = oneOf([0x01, 0x00, 0x04, 0x0c, 0x08, 0x10, 0x14, 0x18, 0x1c])
      return code
        + Instruction.atomic(
          five, isDouble: isDouble, order: bits(2), rd: target(), rs1: pointer, rs2: source()
        ).bytes
    }
    var code = point(pointer, aligned)
    if number(0...7) > 0 {
      code +=
        Instruction.atomic(2, isDouble: isDouble, order: bits(2), rd: target(), rs1: pointer, rs2: 0).bytes
    }
    for _ in 0..<number(0...2) { code += coin() ? arithmetic() : compressedArithmetic() }
    if number(0...3) == 0 { code += Instruction.store(3, rs1: pointer, rs2: source(), 0).bytes }
    if number(0...7) == 0 { code += Instruction(word: 0x0000_0073).bytes }
    // Seldom none, seldom two.
    for _ in 0..<oneOf([0, 1, 1, 1, 1, 1, 1, 2]) {
      code +=
        Instruction.atomic(
          3, isDouble: isDouble, order: bits(2), rd: target(), rs1: pointer, rs2: source()
        ).bytes
    }
    release(pointer)
    return code
  }
}
