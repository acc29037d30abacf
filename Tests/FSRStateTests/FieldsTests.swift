import FSRState
import FSRTestSupport
import Testing

@Suite struct FieldsTests {
  static func sample() -> FieldWriter {
    var writer = FieldWriter()
    writer.put(1, UInt16(0xabcd))
    writer.put(2, Int64.min)
    writer.put(3, "Grüße")
    writer.put(4, [9, 8, 7])
    writer.put(5, list: ["a", "b"]) { text, inner in inner.write(text) }
    return writer
  }

  @Test func whatIsPutIsReadBack() throws {
    let reader = try FieldReader(Self.sample().bytes)
    #expect(try reader.integer(1, as: UInt16.self) == 0xabcd)
    #expect(try reader.integer(2, as: Int64.self) == .min)
    #expect(try reader.string(3, limit: 7) == "Grüße")
    #expect(reader.bytes(4) == [9, 8, 7])
    let list = try reader.list(5, limit: 2) { inner throws(StateError) in try inner.readString(limit: 1) }
    #expect(list == ["a", "b"])
  }

  @Test func whatIsMissingIsAnErrorOrAnEmptyList() throws {
    let reader = try FieldReader([])
    #expect(reader.bytes(1) == nil)
    #expect(throws: StateError.invalid("missing field", 1)) { try reader.integer(1, as: UInt8.self) }
    #expect(throws: StateError.invalid("missing field", 3)) { try reader.string(3, limit: 1) }
    let list = try reader.list(5, limit: 0) { inner throws(StateError) in try inner.read(UInt8.self) }
    #expect(list.isEmpty)
  }

  @Test func aValueOfAnotherWidthIsRefused() throws {
    let reader = try FieldReader(Self.sample().bytes)
    #expect(throws: StateError.trailing(1)) { try reader.integer(1, as: UInt8.self) }
    #expect(throws: StateError.truncated(wanted: 4, left: 2)) { try reader.integer(1, as: UInt32.self) }
  }

  @Test func textMustFitAndBeText() throws {
    var writer = FieldWriter()
    writer.put(1, [0xc3])
    let reader = try FieldReader(writer.bytes)
    #expect(throws: StateError.notText) { try reader.string(1, limit: 4) }
    #expect(throws: StateError.tooLong(1, limit: 0)) { try reader.string(1, limit: 0) }
  }

  @Test func listsAreBoundedAndReadToTheirEnd() throws {
    var writer = FieldWriter()
    writer.put(1, [2, 0, 0, 0, 5])
    writer.put(2, [1, 0, 0, 0, 5, 6])
    writer.put(3, [0xff, 0xff, 0xff, 0xff])
    let reader = try FieldReader(writer.bytes)
    func read(_ tag: UInt16, limit: Int) throws -> [UInt8] {
      try reader.list(tag, limit: limit) { inner throws(StateError) in try inner.read() }
    }
    #expect(throws: StateError.truncated(wanted: 1, left: 0)) { try read(1, limit: 2) }
    #expect(throws: StateError.tooLong(2, limit: 1)) { try read(1, limit: 1) }
    #expect(throws: StateError.trailing(1)) { try read(2, limit: 1) }
    #expect(throws: StateError.tooLong(Int(UInt32.max), limit: 100)) { try read(3, limit: 100) }
  }

  @Test func moreFieldsThanAllowedAreRefused() throws {
    var writer = FieldWriter()
    for tag in 0..<UInt16(Fields.limit) { writer.put(tag, UInt8(1)) }
    _ = try FieldReader(writer.bytes)
    writer.put(UInt16(Fields.limit), UInt8(1))
    #expect(throws: StateError.tooLong(Fields.limit + 1, limit: Fields.limit)) {
      try FieldReader(writer.bytes)
    }
  }

  @Test func aCutWithinAFieldIsRefused() throws {
    let bytes = Self.sample().bytes
    var ends: Set<Int> = [0]
    var offset = 0
    while offset < bytes.count {
      offset += 6 + Int(bytes[offset + 2])
      ends.insert(offset)
    }
    #expect(ends.count == 6)
    for count in 0...bytes.count {
      let cut = Array(bytes[..<count])
      if ends.contains(count) {
        _ = try FieldReader(cut)
      } else {
        #expect(throws: StateError.self) { try FieldReader(cut) }
      }
    }
  }

  @Test func mutationsAreReadOrRefused() {
    var chance = SeededGenerator(seed: 4)
    for _ in 0..<20_000 {
      guard let reader = try? FieldReader(chance.mutate(Self.sample().bytes)) else { continue }
      _ = try? reader.integer(1, as: UInt16.self)
      _ = try? reader.string(3, limit: 7)
      _ = try? reader.list(5, limit: 2) { inner throws(StateError) in try inner.readString(limit: 1) }
    }
  }
}
