import FSRMachine
import FSRMemory
import Testing

/// What an image puts where, at the start and at a reset. The values are what QEMU 7.2 has in its memory.
@Suite struct ImagePlacementTests {
  private static let ram = BoardMap.ram

  struct Part: Sendable {
    var address: UInt64
    var bytes: [UInt8]
    var memory: UInt64

    init(_ address: UInt64, _ bytes: [UInt8], memory: UInt64? = nil) {
      (self.address, self.bytes, self.memory) = (address, bytes, memory ?? UInt64(bytes.count))
    }
  }

  struct Symbol: Sendable {
    var name: String
    var address: UInt64
    var kind: UInt8 = 1
    var isGlobal = true
    var section: UInt64 = 1
    var size: UInt64 = 8
  }

  /// An ELF file with these segments and symbols.
  private static func file(_ parts: [Part], entry: UInt64 = ram, symbols: [Symbol] = []) -> [UInt8] {
    var file: [UInt8] = []
    func put(_ value: UInt64, _ bytes: Int) {
      for index in 0..<bytes { file.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
    let body = 64 + 56 * parts.count
    let names = parts.reduce(body) { $0 + $1.bytes.count }
    let strings: [UInt8] = [0] + symbols.flatMap { Array($0.name.utf8) + [0] }
    let table = names + strings.count
    let headers = table + 24 * symbols.count
    file = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
    for (value, size) in [
      (2, 2), (243, 2), (1, 4), (entry, 8), (64, 8), (UInt64(headers), 8), (0, 4), (64, 2), (56, 2),
      (UInt64(parts.count), 2), (64, 2), (3, 2), (0, 2),
    ] as [(UInt64, Int)] { put(value, size) }
    var offset = body
    for part in parts {
      let size = UInt64(part.bytes.count)
      for (value, width) in [
        (1, 4), (7, 4), (UInt64(offset), 8), (part.address, 8), (part.address, 8), (size, 8),
        (part.memory, 8), (1, 8),
      ] as [(UInt64, Int)] { put(value, width) }
      offset += part.bytes.count
    }
    for part in parts { file += part.bytes }
    file += strings
    var name: UInt64 = 1
    for symbol in symbols {
      put(name, 4)
      put(UInt64(symbol.kind) | (symbol.isGlobal ? 0x10 : 0), 2)
      put(symbol.section, 2)
      put(symbol.address, 8)
      put(symbol.size, 8)
      name += UInt64(symbol.name.utf8.count) + 1
    }
    // None, the symbols, their names.
    for (type, at, size, link) in [
      (0, 0, 0, 0), (2, table, 24 * symbols.count, 2), (3, names, strings.count, 0),
    ] {
      for (value, width) in [
        (0, 4), (type, 4), (0, 8), (0, 8), (at, 8), (size, 8), (link, 4), (0, 4), (0, 8), (0, 8),
      ] { put(UInt64(value), width) }
    }
    return file
  }

  private static func letters(_ letter: Character, _ count: Int) -> [UInt8] {
    [UInt8](repeating: letter.asciiValue ?? 0, count: count)
  }

  /// Loads it, spoils all that it covers, and starts it anew: both times `check` sees the memory.
  private static func place(_ parts: [Part], _ check: (GuestMemory) -> Void) throws {
    for parts in [parts, parts.reversed()] {
      let machine = try board()
      let image = try ELFImage(file(parts))
      try machine.load(image, cpus: [])
      check(machine.memory)
      let end = machine.memory.size - BoardMap.deviceTreeSize
      for part in parts where part.address >= ram && part.address < ram + end {
        let start = part.address - ram
        machine.memory.copy(letters("x", Int(min(part.memory, end - start))), to: start)
      }
      try machine.restart(image, cpus: [])
      check(machine.memory)
    }
  }

  private static let start = Part(ram, letters("s", 16))

  @Test func zerosOfOneSegmentLeaveTheBytesOfAnother() throws {
    let b = Self.letters("B", 16)
    for zeros in [0x1800, 0x2000, 0x1ff8, 0x2008] as [UInt64] {
      try Self.place([Self.start, Part(Self.ram + 0x2000, b), Part(Self.ram + zeros, [], memory: 0x4000)]) {
        #expect($0.bytes(at: 0x2000, count: 16) == b)
        #expect($0.bytes(at: 0x2010, count: 0x100) == [UInt8](repeating: 0, count: 0x100))
        #expect($0.bytes(at: 0x1ff8, count: 8) == [UInt8](repeating: 0, count: 8))
      }
    }
    // The rest of a segment that has some bytes.
    try Self.place([
      Self.start, Part(Self.ram + 0x2000, b), Part(Self.ram + 0x1ff0, Self.letters("A", 4), memory: 64),
    ]) {
      #expect($0.bytes(at: 0x1ff0, count: 4) == Self.letters("A", 4))
      #expect($0.bytes(at: 0x2000, count: 16) == b)
    }
  }

  @Test func bytesOfTwoSegmentsForOnePlaceAreRefused() throws {
    let a = Part(Self.ram + 0x2000, Self.letters("A", 16))
    for b in [0x2000, 0x1ff1, 0x200f] as [UInt64] {
      for parts in [
        [Self.start, a, Part(Self.ram + b, Self.letters("B", 16))],
        [Self.start, Part(Self.ram + b, Self.letters("B", 16)), a],
      ] {
        #expect(throws: ELFError.overlap(address: Self.ram + max(b, 0x2000))) {
          try board().load(ELFImage(Self.file(parts)), cpus: [])
        }
      }
    }
    for b in [0x1ff0, 0x2010] as [UInt64] {
      #expect(throws: Never.self) {
        try board().load(
          ELFImage(Self.file([Self.start, a, Part(Self.ram + b, Self.letters("B", 16))])), cpus: [])
      }
    }
  }

  @Test(arguments: [0x1000, 0x100_0000, 0x2000_0000, 0x9000_0000, 1 << 63, .max - 15] as [UInt64])
  func whatLiesOutsideRAMIsLeftOut(address: UInt64) throws {
    try Self.place([Self.start, Part(address, Self.letters("A", 15))]) {
      #expect($0.bytes(at: 0, count: 16) == Self.letters("s", 16))
    }
    #expect(throws: ELFError.outsideRAM(address: address, bytes: 15)) {
      try board().load(ELFImage(Self.file([Part(address, Self.letters("A", 15))])), cpus: [])
    }
  }

  @Test func ofASegmentThatBeginsBelowRAMItsEndIsThere() throws {
    let bytes = Self.letters("h", 0x100) + Self.letters("s", 16)
    try Self.place([Part(Self.ram - 0x100, bytes, memory: 0x200)]) {
      #expect($0.bytes(at: 0, count: 16) == Self.letters("s", 16))
      #expect($0.bytes(at: 16, count: 16) == [UInt8](repeating: 0, count: 16))
    }
  }

  @Test func aResetGivesUpZerosThatNobodyTouched() throws {
    let machine = try board(megabytes: 64)
    let image = try ELFImage(Self.file([Self.start, Part(Self.ram + 0x1000, [], memory: 60 << 20)]))
    try machine.load(image, cpus: [])
    let before = try machine.memory.residentPages()
    try machine.restart(image, cpus: [])
    #expect(try machine.memory.residentPages() == before)
    machine.memory.copy([UInt8](repeating: 7, count: 1 << 20), to: 0x1000)
    try machine.restart(image, cpus: [])
    #expect(try machine.memory.residentPages() == before)
    #expect(machine.memory.bytes(at: 0x1000, count: 1 << 20) == [UInt8](repeating: 0, count: 1 << 20))
  }

  @Test func whatIsClearedIsWhatTheImageSays() throws {
    let memory = try GuestMemory(size: 1 << 20)
    for range in [0..<0, 5..<5, 5..<9, 4000..<4200, 4096..<8192, 100..<50_000, 8191..<12_289]
      as [Range<UInt64>]
    {
      for isGivenUp in [true, false] {
        memory.copy(Self.letters("x", 65536), to: 0)
        if isGivenUp { memory.giveUp(range) } else { memory.zero(range) }
        let bytes = memory.bytes(at: 0, count: 65536)
        let isRight = bytes.indices.allSatisfy { (bytes[$0] == 0) == range.contains(UInt64($0)) }
        #expect(isRight, "\(range)")
      }
    }
  }

  // MARK: symbols

  private static func mailbox(_ symbols: [Symbol]) throws -> UInt64? {
    let text = Part(ram, letters("s", 0x100) + [UInt8](repeating: 0, count: 0x100))
    let machine = try board()
    try machine.load(ELFImage(file([text], symbols: symbols)), cpus: [])
    return machine.toHost
  }

  @Test func aMailboxIsDataInRAMThatBeginsWithZeros() throws {
    for kind in [0, 1] as [UInt8] {
      #expect(try Self.mailbox([Symbol(name: "tohost", address: Self.ram + 0x100, kind: kind)]) == 0x100)
      #expect(
        try Self.mailbox([Symbol(name: "tohost", address: Self.ram + 0x100, kind: kind, size: 0)]) == 0x100)
    }
    let others = [
      Symbol(name: "tohost", address: Self.ram + 0x100, kind: 2),
      Symbol(name: "tohost", address: Self.ram + 0x100, kind: 3),
      Symbol(name: "tohost", address: Self.ram + 0x100, kind: 4),
      Symbol(name: "tohost", address: Self.ram + 0x80),
      Symbol(name: "tohost", address: Self.ram + 0xf8), Symbol(name: "tohost", address: Self.ram + 0x104),
      Symbol(name: "tohost", address: 5, section: 0xfff1), Symbol(name: "tohost", address: 0),
      Symbol(name: "tohost", address: .max - 7),
      Symbol(name: "tohost", address: Self.ram + 0x100, section: 0),
      Symbol(name: "tohost", address: Self.ram + 0x100, size: 4),
      Symbol(name: "tohost2", address: Self.ram + 0x100),
      // The device tree's place, and the last bytes of RAM.
      Symbol(name: "tohost", address: Self.ram + 0xf_c000),
      Symbol(name: "tohost", address: Self.ram + 0xf_fff8),
    ]
    for symbol in others { #expect(try Self.mailbox([symbol]) == nil, "\(symbol)") }
  }

  @Test func amongSeveralTheOneThatFitsIsMeant() throws {
    let function = Symbol(name: "tohost", address: Self.ram + 0x108, kind: 2)
    let local = Symbol(name: "tohost", address: Self.ram + 0x110, isGlobal: false)
    let global = Symbol(name: "tohost", address: Self.ram + 0x118)
    for symbols in [[function, local, global], [global, local, function]] {
      #expect(try Self.mailbox(symbols) == 0x118)
    }
    #expect(try Self.mailbox([function, local]) == 0x110)
  }
}
