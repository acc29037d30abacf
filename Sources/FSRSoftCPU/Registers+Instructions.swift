import FSRMachine
import FSRMemory

/// What instructions do to registers and memory, given their operands.
///
/// A load or store answers false, and does nothing, where it is not in RAM.
extension Registers {
  @inline(__always)
  private mutating func word(_ number: UInt8) -> UInt32 { UInt32(truncatingIfNeeded: self[number]) }

  @inline(__always)
  private mutating func signed(_ number: UInt8) -> Int64 { Int64(bitPattern: self[number]) }

  @inline(__always)
  private mutating func signedWord(_ number: UInt8) -> Int32 { Int32(truncatingIfNeeded: self[number]) }

  @inline(__always)
  private mutating func setWord(_ half: TraceOp.Half, _ value: UInt32) {
    self[half.target] = UInt64(bitPattern: Int64(Int32(bitPattern: value)))
  }

  @inline(__always)
  private mutating func setWord(_ half: TraceOp.Half, _ value: Int32) {
    self[half.target] = UInt64(bitPattern: Int64(value))
  }

  @inline(__always)
  private mutating func set(_ half: TraceOp.Half, _ value: Int64) {
    self[half.target] = UInt64(bitPattern: value)
  }

  /// Where an indirect jump goes.
  @inline(__always)
  mutating func target(_ half: TraceOp.Half) -> UInt64 { (self[half.first] &+ half.extended) & ~1 }

  /// Where a return goes, which has no offset.
  @inline(__always)
  mutating func returnTarget(_ half: TraceOp.Half) -> UInt64 { self[half.first] & ~1 }

  /// Where a load or store is, from the start of RAM.
  @inline(__always)
  private mutating func offset(_ half: TraceOp.Half) -> UInt64 {
    self[half.first] &+ half.extended &- BoardMap.ram
  }

  @inline(__always)
  mutating func addi(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &+ half.extended
  }

  @inline(__always)
  mutating func slti(_ half: TraceOp.Half) {
    self[half.target] = signed(half.first) < Int64(half.immediate) ? 1 : 0
  }

  @inline(__always)
  mutating func sltiu(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] < half.extended ? 1 : 0
  }

  @inline(__always)
  mutating func xori(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] ^ half.extended
  }

  @inline(__always)
  mutating func ori(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] | half.extended
  }

  @inline(__always)
  mutating func andi(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] & half.extended
  }

  @inline(__always)
  mutating func slli(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &<< half.extended
  }

  @inline(__always)
  mutating func srli(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &>> half.extended
  }

  @inline(__always)
  mutating func srai(_ half: TraceOp.Half) {
    set(half, signed(half.first) &>> Int64(half.immediate))
  }

  @inline(__always)
  mutating func addiw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &+ UInt32(bitPattern: half.immediate))
  }

  @inline(__always)
  mutating func slliw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &<< UInt32(bitPattern: half.immediate))
  }

  @inline(__always)
  mutating func srliw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &>> UInt32(bitPattern: half.immediate))
  }

  @inline(__always)
  mutating func sraiw(_ half: TraceOp.Half) {
    setWord(half, signedWord(half.first) &>> half.immediate)
  }

  @inline(__always)
  mutating func add(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &+ self[half.second]
  }

  @inline(__always)
  mutating func sub(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &- self[half.second]
  }

  @inline(__always)
  mutating func sll(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &<< self[half.second]
  }

  @inline(__always)
  mutating func slt(_ half: TraceOp.Half) {
    self[half.target] = signed(half.first) < signed(half.second) ? 1 : 0
  }

  @inline(__always)
  mutating func sltu(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] < self[half.second] ? 1 : 0
  }

  @inline(__always)
  mutating func xor(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] ^ self[half.second]
  }

  @inline(__always)
  mutating func srl(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &>> self[half.second]
  }

  @inline(__always)
  mutating func sra(_ half: TraceOp.Half) {
    set(half, signed(half.first) &>> signed(half.second))
  }

  @inline(__always)
  mutating func or(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] | self[half.second]
  }

  @inline(__always)
  mutating func and(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] & self[half.second]
  }

  @inline(__always)
  mutating func addw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &+ word(half.second))
  }

  @inline(__always)
  mutating func subw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &- word(half.second))
  }

  @inline(__always)
  mutating func sllw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &<< word(half.second))
  }

  @inline(__always)
  mutating func srlw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &>> word(half.second))
  }

  @inline(__always)
  mutating func sraw(_ half: TraceOp.Half) {
    setWord(half, signedWord(half.first) &>> signedWord(half.second))
  }

  @inline(__always)
  mutating func mul(_ half: TraceOp.Half) {
    self[half.target] = self[half.first] &* self[half.second]
  }

  @inline(__always)
  mutating func mulh(_ half: TraceOp.Half) {
    set(half, signed(half.first).multipliedFullWidth(by: signed(half.second)).high)
  }

  @inline(__always)
  mutating func mulhsu(_ half: TraceOp.Half) {
    self[half.target] = Arithmetic.highSignedUnsigned(self[half.first], self[half.second])
  }

  @inline(__always)
  mutating func mulhu(_ half: TraceOp.Half) {
    self[half.target] = self[half.first].multipliedFullWidth(by: self[half.second]).high
  }

  @inline(__always)
  mutating func div(_ half: TraceOp.Half) {
    set(half, Arithmetic.quotient(signed(half.first), signed(half.second)))
  }

  @inline(__always)
  mutating func divu(_ half: TraceOp.Half) {
    self[half.target] = Arithmetic.quotient(self[half.first], self[half.second])
  }

  @inline(__always)
  mutating func rem(_ half: TraceOp.Half) {
    set(half, Arithmetic.remainder(signed(half.first), signed(half.second)))
  }

  @inline(__always)
  mutating func remu(_ half: TraceOp.Half) {
    self[half.target] = Arithmetic.remainder(self[half.first], self[half.second])
  }

  @inline(__always)
  mutating func mulw(_ half: TraceOp.Half) {
    setWord(half, word(half.first) &* word(half.second))
  }

  @inline(__always)
  mutating func divw(_ half: TraceOp.Half) {
    setWord(half, Arithmetic.quotient(signedWord(half.first), signedWord(half.second)))
  }

  @inline(__always)
  mutating func divuw(_ half: TraceOp.Half) {
    setWord(half, Arithmetic.quotient(word(half.first), word(half.second)))
  }

  @inline(__always)
  mutating func remw(_ half: TraceOp.Half) {
    setWord(half, Arithmetic.remainder(signedWord(half.first), signedWord(half.second)))
  }

  @inline(__always)
  mutating func remuw(_ half: TraceOp.Half) {
    setWord(half, Arithmetic.remainder(word(half.first), word(half.second)))
  }

  @inline(__always)
  mutating func beq(_ half: TraceOp.Half) -> Bool { self[half.first] == self[half.second] }

  @inline(__always)
  mutating func bne(_ half: TraceOp.Half) -> Bool { self[half.first] != self[half.second] }

  @inline(__always)
  mutating func blt(_ half: TraceOp.Half) -> Bool { signed(half.first) < signed(half.second) }

  @inline(__always)
  mutating func bge(_ half: TraceOp.Half) -> Bool { signed(half.first) >= signed(half.second) }

  @inline(__always)
  mutating func bltu(_ half: TraceOp.Half) -> Bool { self[half.first] < self[half.second] }

  @inline(__always)
  mutating func bgeu(_ half: TraceOp.Half) -> Bool { self[half.first] >= self[half.second] }

  @inline(__always)
  mutating func lb(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    guard let loaded = memory.guestLoad(offset(half), as: UInt8.self) else { return false }
    set(half, Int64(Int8(bitPattern: loaded)))
    return true
  }

  @inline(__always)
  mutating func lh(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    guard let loaded = memory.guestLoad(offset(half), as: UInt16.self) else { return false }
    set(half, Int64(Int16(bitPattern: loaded)))
    return true
  }

  @inline(__always)
  mutating func lw(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    guard let loaded = memory.guestLoad(offset(half), as: UInt32.self) else { return false }
    set(half, Int64(Int32(bitPattern: loaded)))
    return true
  }

  @inline(__always)
  mutating func ld(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    guard let loaded = memory.guestLoad(offset(half), as: UInt64.self) else { return false }
    self[half.target] = loaded
    return true
  }

  @inline(__always)
  mutating func lbu(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    guard let loaded = memory.guestLoad(offset(half), as: UInt8.self) else { return false }
    self[half.target] = UInt64(loaded)
    return true
  }

  @inline(__always)
  mutating func lhu(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    guard let loaded = memory.guestLoad(offset(half), as: UInt16.self) else { return false }
    self[half.target] = UInt64(loaded)
    return true
  }

  @inline(__always)
  mutating func lwu(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    guard let loaded = memory.guestLoad(offset(half), as: UInt32.self) else { return false }
    self[half.target] = UInt64(loaded)
    return true
  }

  @inline(__always)
  mutating func sb(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    memory.guestStore(UInt8(truncatingIfNeeded: self[half.second]), at: offset(half))
  }

  @inline(__always)
  mutating func sh(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    memory.guestStore(UInt16(truncatingIfNeeded: self[half.second]), at: offset(half))
  }

  @inline(__always)
  mutating func sw(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    memory.guestStore(UInt32(truncatingIfNeeded: self[half.second]), at: offset(half))
  }

  @inline(__always)
  mutating func sd(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    memory.guestStore(self[half.second], at: offset(half))
  }

  // The atomic ones that count most. They answer false, and do nothing, where they cannot be done.

  @inline(__always)
  mutating func amoswapw(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    let operand = word(half.second)
    guard let old: UInt32 = exchange(half, memory, { _ in operand }) else { return false }
    setWord(half, old)
    return true
  }

  @inline(__always)
  mutating func amoswapd(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    let operand = self[half.second]
    guard let old: UInt64 = exchange(half, memory, { _ in operand }) else { return false }
    self[half.target] = old
    return true
  }

  @inline(__always)
  mutating func amoaddw(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    let operand = word(half.second)
    guard let old: UInt32 = exchange(half, memory, { $0 &+ operand }) else { return false }
    setWord(half, old)
    return true
  }

  @inline(__always)
  mutating func amoaddd(_ half: TraceOp.Half, _ memory: GuestMemory) -> Bool {
    let operand = self[half.second]
    guard let old: UInt64 = exchange(half, memory, { $0 &+ operand }) else { return false }
    self[half.target] = old
    return true
  }

  /// Changes an aligned word of RAM in one piece; answers what it was.
  @inline(__always)
  private mutating func exchange<T: GuestWord>(
    _ half: TraceOp.Half, _ memory: GuestMemory, _ change: (T) -> T
  ) -> T? {
    let offset = self[half.first] &- BoardMap.ram
    let width = UInt64(MemoryLayout<T>.size)
    guard offset % width == 0, memory.contains(offset, count: width) else { return nil }
    var seen: T = memory.atomicLoadRelaxed(offset)
    while true {
      let (exchanged, original) = memory.atomicCompareExchange(offset, expected: seen, desired: change(seen))
      if exchanged { return original }
      seen = original
    }
  }
}
