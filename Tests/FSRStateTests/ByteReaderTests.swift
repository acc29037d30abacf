import FSRState
import Testing

@Suite struct ByteReaderTests {
  @Test func whatIsWrittenIsReadBack() throws {
    var writer = ByteWriter()
    writer.write(UInt16(0x1234))
    writer.write(true)
    writer.write("hart")
    writer.write(Int64(-5))
    var reader = ByteReader(writer.bytes)
    #expect(try reader.read(UInt16.self) == 0x1234)
    #expect(try reader.readBool())
    #expect(try reader.readString(limit: 8) == "hart")
    #expect(try reader.read(Int64.self) == -5)
    try reader.finish()
  }

  @Test func aCountBeyondTheLimitOrTheEndIsRefused() {
    var writer = ByteWriter()
    writer.write(UInt32.max)
    var reader = ByteReader(writer.bytes)
    #expect(throws: StateError.tooLong(Int(UInt32.max), limit: 10)) { try reader.readCounted(limit: 10) }
    var other = ByteReader([5, 0, 0, 0, 1])
    #expect(throws: StateError.truncated(wanted: 5, left: 1)) { try other.readCounted(limit: 10) }
  }
}
