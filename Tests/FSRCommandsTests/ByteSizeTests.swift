import FSRCommands
import FSRSystem
import Testing

@Suite struct ByteSizeTests {
  @Test(
    arguments: [
      ("1", 1), ("4096", 4096), ("1K", 1024), ("512M", 512 << 20), ("4G", 4 << 30), ("1T", 1 << 40),
      ("2g", 2 << 30),
      ("9223372036854775807", UInt64(Int64.max)),
    ] as [(String, UInt64)])
  func sizesAreReadInPowersOf1024(text: String, bytes: UInt64) throws {
    #expect(try ByteSize(parsing: text).bytes == bytes)
  }

  @Test(arguments: [
    "", "0", "0G", "-1", "+1", "M", "1.5G", "1 G", "1GB", "0x10", "9223372036854775808", "8388608T",
    "99999999999999999999",
    "9007199254740992K", "١", "1\u{0}",
  ])
  func whatIsNoSizeIsRefused(text: String) {
    #expect(throws: ValueError.self) { try ByteSize(parsing: text) }
  }

  @Test(arguments: ["1", "1023", "1K", "1536M", "64M", "8G", "1T"])
  func aSizeIsWrittenAsItIsRead(text: String) throws {
    #expect(try ByteSize(parsing: text).description == text)
  }
}
