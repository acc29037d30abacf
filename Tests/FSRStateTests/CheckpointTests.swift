import FSRState
import FSRTestSupport
import Testing

@Suite struct CheckpointTests {
  static let machine = MachineIdentity(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)

  static func written() -> [UInt8] {
    var writer = CheckpointWriter(machine: machine, attempt: 7, capacity: 4096)
    writer.section("hart", index: 0, version: 1) { $0.write(UInt64(42)) }
    writer.section("hart", index: 12, version: 1) { $0.write(UInt64(43)) }
    writer.section("uart", version: 3, isNeeded: false) { $0.write(raw: [1, 2, 3]) }
    writer.passOn(StateSection(name: "future", version: 9, isNeeded: false, payload: [9, 9]))
    writer.section("clock", version: 2) { _ in }
    return writer.bytes
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let checkpoint = try Checkpoint(decoding: Self.written())
    #expect(checkpoint.machine == Self.machine)
    #expect(checkpoint.attempt == 7)
    #expect(checkpoint.sections.map(\.name) == ["hart.0", "hart.12", "uart", "future", "clock"])
    #expect(checkpoint.sections.map(\.version) == [1, 1, 3, 9, 2])
    #expect(checkpoint.sections.map(\.isNeeded) == [true, true, false, false, true])
    #expect(try checkpoint.section("hart.12").payload == [43, 0, 0, 0, 0, 0, 0, 0])
    #expect(try checkpoint.section("future").payload == [9, 9])
    #expect(try checkpoint.section("clock").payload.isEmpty)
    #expect(throws: StateError.missingSection("disk")) { try checkpoint.section("disk") }
  }

  @Test func theEncodingIsTheDocumentedOne() {
    var writer = CheckpointWriter(machine: Self.machine, attempt: 0x0102_0304, capacity: 64)
    writer.section("uart", version: 0x0506, isNeeded: true) { $0.write(UInt8(0xee)) }
    let head: [UInt8] = Array("FSRCKPT".utf8) + [1]
    let identity: [UInt8] = [
      0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
    ]
    let section: [UInt8] = [4] + Array("uart".utf8) + [6, 5, 1, 1, 0, 0, 0, 0xee]
    #expect(writer.bytes == head + identity + [4, 3, 2, 1, 1, 0, 0, 0] + section)
  }

  @Test func aPassedOnSectionIsWrittenAsItWas() throws {
    let first = try Checkpoint(decoding: Self.written())
    var writer = CheckpointWriter(machine: first.machine, attempt: first.attempt, capacity: 0)
    for section in first.sections { writer.passOn(section) }
    #expect(writer.bytes == Self.written())
  }

  @Test func everyTruncationIsRefused() {
    let bytes = Self.written()
    for count in bytes.indices {
      #expect(throws: StateError.self) { try Checkpoint(decoding: Array(bytes[..<count])) }
    }
  }

  @Test func bytesTooManyAreRefused() {
    #expect(throws: StateError.trailing(1)) { try Checkpoint(decoding: Self.written() + [0]) }
  }

  @Test func everyOtherMagicIsRefused() {
    for index in 0..<8 {
      var bytes = Self.written()
      bytes[index] ^= 0x10
      #expect(throws: StateError.notACheckpoint) { try Checkpoint(decoding: bytes) }
    }
  }

  @Test func aNameTwiceIsRefused() {
    var writer = CheckpointWriter(machine: Self.machine, attempt: 1, capacity: 64)
    writer.section("uart", version: 1) { _ in }
    writer.section("uart", version: 2) { _ in }
    #expect(throws: StateError.duplicateSection("uart")) { try Checkpoint(decoding: writer.bytes) }
  }

  @Test func limitsAreInclusive() throws {
    let longest = String(repeating: "n", count: Checkpoint.nameLimit)
    var writer = CheckpointWriter(machine: Self.machine, attempt: 1, capacity: 64)
    writer.section(longest, version: 1) { _ in }
    #expect(try Checkpoint(decoding: writer.bytes).sections.count == 1)
    writer.section(longest + "n", version: 1) { _ in }
    #expect(throws: StateError.tooLong(33, limit: 32)) { try Checkpoint(decoding: writer.bytes) }

    var empty = CheckpointWriter(machine: Self.machine, attempt: 1, capacity: 64)
    empty.section("", version: 1) { _ in }
    #expect(throws: StateError.tooLong(0, limit: 32)) { try Checkpoint(decoding: empty.bytes) }
  }

  @Test func moreSectionsThanAllowedAreRefusedBeforeTheyAreRead() throws {
    var writer = CheckpointWriter(machine: Self.machine, attempt: 1, capacity: 1 << 16)
    for index in 0..<Checkpoint.sectionLimit { writer.section("s\(index)", version: 1) { _ in } }
    #expect(try Checkpoint(decoding: writer.bytes).sections.count == Checkpoint.sectionLimit)
    writer.section("last", version: 1) { _ in }
    #expect(throws: StateError.tooLong(4097, limit: 4096)) { try Checkpoint(decoding: writer.bytes) }
    // A count that the bytes cannot hold allocates nothing for it.
    var liar = Self.written()
    liar.replaceSubrange(28..<32, with: [0xff, 0xff, 0xff, 0xff])
    #expect(throws: StateError.tooLong(Int(UInt32.max), limit: 4096)) { try Checkpoint(decoding: liar) }
  }

  @Test func aPayloadBeyondTheLimitIsRefused() {
    var bytes = Self.written()
    // The first section: length 6, name, version, needed; then the payload's length.
    let lengthAt = 32 + 1 + 6 + 2 + 1
    bytes.replaceSubrange(lengthAt..<lengthAt + 4, with: [0xff, 0xff, 0xff, 0x7f])
    #expect(throws: StateError.tooLong(0x7fff_ffff, limit: Checkpoint.payloadLimit)) {
      try Checkpoint(decoding: bytes)
    }
  }

  @Test func mutationsAreReadOrRefused() {
    var chance = SeededGenerator(seed: 1)
    let bytes = Self.written()
    var refused = 0
    for _ in 0..<20_000 {
      do throws(StateError) {
        let read = try Checkpoint(decoding: chance.mutate(bytes))
        #expect(read.sections.count <= Checkpoint.sectionLimit)
      } catch { refused += 1 }
    }
    // Most accidents hit a length, a count, a name or the end.
    #expect(refused > 5_000)
  }

  @Test func noiseIsRefused() {
    var chance = SeededGenerator(seed: 2)
    for count in 0..<2_000 {
      let noise = (0..<count % 300).map { _ in UInt8.random(in: .min ... .max, using: &chance) }
      #expect(throws: StateError.self) { try Checkpoint(decoding: noise) }
    }
  }
}
