import FSRMachine
import FSRMemory
import Synchronization
import Testing

@Suite struct ELFImageTests {
  private static let soak = SoakGuestImage.bytes

  /// The soak guest with `bytes` put at `offset`.
  private static func changed(_ offset: Int, _ bytes: [UInt8]) -> [UInt8] {
    var copy = soak
    copy.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    return copy
  }

  private static func load(_ bytes: [UInt8], megabytes: UInt64 = 1) throws {
    try board(megabytes: megabytes).load(ELFImage(bytes), cpus: [])
  }

  @Test func theSoakGuestIsAnELFThatHasItsSymbols() throws {
    let image = try ELFImage(Self.soak)
    #expect(image.entry == 0x8000_0000)
    let symbols = try image.symbols(["fsr_parameters", "fsr_statistics", "tohost"])
    #expect(Set(symbols.keys) == ["fsr_parameters", "fsr_statistics"])
  }

  @Test func loadingPutsSegmentsTreeAndHartsInPlace() throws {
    let machine = try board(harts: 2)
    let harts = [ParkedHart(hart: 0), ParkedHart(hart: 1)]
    try machine.load(ELFImage(Self.soak), cpus: harts)
    #expect(machine.memory.bytes(at: 0, count: 64) == Array(Self.soak[0x1000..<0x1040]))
    for hart in harts {
      let start = hart.start.withLock { $0 }
      #expect(start == (0x8000_0000, 0x800f_c000))
    }
    #expect(machine.soakParameters != nil)
    #expect(machine.soakStatistics != nil)
    #expect(machine.toHost == nil)
  }

  @Test func whatIsNoGuestIsRefused() {
    #expect(throws: ELFError.notELF) { try ELFImage([]) }
    #expect(throws: ELFError.notELF) { try ELFImage([UInt8](repeating: 0, count: 4096)) }
    #expect(throws: ELFError.truncated("header")) { try ELFImage(Array(Self.soak[..<63])) }
    #expect(throws: ELFError.notRISCV64) { try ELFImage(Self.changed(4, [1])) }
    #expect(throws: ELFError.notRISCV64) { try ELFImage(Self.changed(5, [2])) }
    #expect(throws: ELFError.notRISCV64) { try ELFImage(Self.changed(18, [62])) }
    #expect(throws: ELFError.noSegments) { try ELFImage(Self.changed(56, [0, 0])) }
    #expect(throws: ELFError.tooMany("program headers", 65, limit: 64)) {
      try ELFImage(Self.changed(56, [65, 0]))
    }
    #expect(throws: ELFError.headerSize("program headers", 1)) { try ELFImage(Self.changed(54, [1, 0])) }
  }

  @Test func segmentsOutsideTheFileOrRAMAreRefused() {
    let far = [UInt8](repeating: 0xff, count: 8)
    #expect(throws: ELFError.truncated("program headers")) { try ELFImage(Self.changed(32, far)) }
    #expect(throws: ELFError.truncated("segment 0")) { try ELFImage(Self.changed(64 + 8, far)) }
    #expect(throws: ELFError.badSegment(0)) { try ELFImage(Self.changed(64 + 24, far)) }
    #expect(throws: ELFError.badSegment(0)) { try ELFImage(Self.changed(64 + 32, far)) }
    #expect(throws: ELFError.outsideRAM(address: 0x1000, bytes: 0x12000)) {
      try Self.load(Self.changed(64 + 24, [0, 0x10, 0, 0]))
    }
    #expect(throws: ELFError.overlapsDeviceTree(address: 0x8000_0000)) {
      try Self.load(Self.changed(64 + 40, [0, 0, 0x10, 0]))
    }
    // As on QEMU's board: without an entry that can be one, harts start at the first byte.
    for entry in [[0, 0x10, 0, 0], [1, 0, 0, 0x80], [0, 0, 0, 0]] as [[UInt8]] {
      #expect(throws: Never.self) { try Self.load(Self.changed(24, entry)) }
    }
  }

  @Test func whatIsLinkedBelowRAMIsToldWhereThatBegins() {
    let below = ELFError.outsideRAM(address: 0x10000, bytes: 4096).description
    #expect(below.contains("0x80000000") && !below.contains("memory"), "\(below)")
    let above = ELFError.outsideRAM(address: 0x9000_0000, bytes: 4096).description
    #expect(above.contains("give more memory"), "\(above)")
    #expect(ELFError.entryOutsideRAM(0x10000).description.contains("0x80000000"))
  }

  @Test func anyCutAndAnyChangedByteIsRefusedOrLoads() throws {
    let machine = try board()
    var random = SystemRandomNumberGenerator()
    var refused = 0
    for round in 0..<3000 {
      var bytes = Self.soak
      // Headers lie at both ends of the file.
      for _ in 0..<2 {
        let head = Bool.random(using: &random)
        let offset =
          head
          ? Int.random(in: 0..<120, using: &random) : bytes.count - Int.random(in: 1...900, using: &random)
        bytes[offset] = UInt8.random(in: 0...255, using: &random)
      }
      if round % 3 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
      do { try machine.load(ELFImage(bytes), cpus: []) } catch { refused += 1 }
    }
    #expect(refused > 0)
  }
}
