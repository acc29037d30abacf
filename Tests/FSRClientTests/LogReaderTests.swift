import FSRClient
import FSRHost
import FSRSystem
import FSRTestSupport
import Testing

/// Reads a log that somebody writes, cuts or replaces meanwhile.
@Suite struct LogReaderTests {
  private static func text(_ reader: inout LogReader) throws -> String {
    var all: [UInt8] = []
    while true {
      let bytes = try reader.next()
      if bytes.isEmpty { return String(decoding: all, as: UTF8.self) }
      all += bytes
    }
  }

  @Test func oneThatWasCutBeginsAnew() throws {
    let temporary = try TemporaryDirectory()
    try temporary.directory.make("vms")
    let vms = try Directory.open("vms", in: temporary.directory)
    let runtime = try RuntimeDirectory.open(temporary.path + "/vms", creating: true)
    try vms.make("vm")
    let place = try Directory.open("vm", in: vms)
    // A folder of fsr's is known by its mark.
    try place.openFile("vm", .createNew).write(Array("fsr VM 1\n".utf8))
    try place.openFile("log", .createNew).write(Array("one\ntwo\n".utf8))
    var reader = try LogReader(of: try runtime.vm("vm"), last: 1)
    #expect(try Self.text(&reader) == "two\n")
    #expect(try Self.text(&reader) == "")
    // As logrotate's copytruncate does.
    try place.openFile("log", .readWrite).truncate(to: 0)
    #expect(try Self.text(&reader) == "")
    try place.openFile("log", .append).write(Array("next\n".utf8))
    #expect(try Self.text(&reader) == "next\n")
    let long = String(repeating: "a line\n", count: 20_000)
    try place.openFile("log", .append).write(Array(long.utf8))
    #expect(try Self.text(&reader) == long)
    // Cut and written to again between two looks, to less than there was.
    try place.openFile("log", .readWrite).truncate(to: 0)
    try place.openFile("log", .append).write(Array("last\n".utf8))
    #expect(try Self.text(&reader) == "last\n")
    for name in try place.names(limit: 10) { try place.unlink(name) }
    try vms.removeDirectory("vm")
    try temporary.directory.removeDirectory("vms")
  }
}
