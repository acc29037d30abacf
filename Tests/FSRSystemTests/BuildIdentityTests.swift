import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct BuildIdentityTests {
  /// The head of an ELF file with one program header, of a note segment that holds `notes`.
  private func elf(
    notes: [UInt8], type: UInt8 = 4, offset: UInt64 = 120, length: UInt64? = nil, count: UInt8 = 1
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1] + [UInt8](repeating: 0, count: 114)
    func put(_ value: UInt64, _ at: Int) {
      for index in 0..<8 { bytes[at + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }
    put(64, 32)
    bytes[54] = 56
    bytes[56] = count
    bytes[64] = type
    put(offset, 72)
    put(length ?? UInt64(notes.count), 96)
    put(4, 112)
    return bytes + notes
  }

  private func note(name: String = "GNU\0", type: UInt8 = 3, _ content: [UInt8]) -> [UInt8] {
    let count = UInt8(name.utf8.count)
    let size = UInt8(content.count)
    return [count, 0, 0, 0, size, 0, 0, 0, type, 0, 0, 0] + Array(name.utf8) + content
  }

  private func identity(of bytes: [UInt8]) throws -> String {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("f", .createNew)
    try file.write(bytes)
    return try BuildIdentity.of(file)
  }

  @Test func theLinkersIdIsTaken() throws {
    let id = try identity(of: elf(notes: note(type: 1, [9, 9, 9, 9]) + note([0xde, 0xad, 0xbe, 0xef])))
    #expect(id == "deadbeef")
  }

  @Test func aLyingFileHasADigest() throws {
    let good = note([1, 2, 3, 4])
    let files: [[UInt8]] = [
      elf(notes: good, type: 1), elf(notes: note(name: "FSR\0", [1, 2, 3, 4])),
      elf(notes: Array(good.dropLast())), elf(notes: good, offset: .max), elf(notes: good, offset: 1 << 29),
      elf(notes: [255, 255, 255, 255, 255, 255, 255, 255, 3, 0, 0, 0]), elf(notes: note([]), length: .max),
      elf(notes: [], count: 255), [], [0x7f], Array(elf(notes: good).prefix(64)), Array("#!/bin/sh\n".utf8),
    ]
    var seen: Set<String> = []
    for file in files {
      let id = try identity(of: file)
      #expect(id.count == 32)
      seen.insert(id)
    }
    #expect(seen.count == files.count)
  }

  @Test func everyByteAndTheLengthCount() throws {
    let bytes = [UInt8](repeating: 0, count: (1 << 20) + 37)
    var seen: Set<String> = [try identity(of: bytes), try identity(of: bytes + [0])]
    for index in [0, 7, 8, 15, 16, 1 << 19, 1 << 20, bytes.count - 1] {
      var changed = bytes
      changed[index] ^= 1
      seen.insert(try identity(of: changed))
    }
    let same = try identity(of: bytes)
    #expect(seen.count == 10 && seen.contains(same))
  }

  @Test func thisExecutableIsTheSameByPathAndByProcess() throws {
    let path = try BuildIdentity.ofExecutable(path: try Executable.path())
    let process = try BuildIdentity.ofExecutable(pid: getpid())
    let other = try BuildIdentity.ofExecutable(path: "/bin/true")
    #expect(path == process && path != other)
  }

  @Test func whatIsNoFileIsRefused() throws {
    for (path, errno) in [("/dev/null", EINVAL), ("/tmp", EISDIR)] {
      let refused = refusal { () throws(SystemError) in _ = try BuildIdentity.ofExecutable(path: path) }
      #expect(refused == errno)
    }
  }
}
