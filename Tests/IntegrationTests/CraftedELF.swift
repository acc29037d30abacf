/// An ELF file whose headers say what a test wants them to say; as it is, a guest that passes.
struct CraftedELF {
  struct Segment {
    var address: UInt64 = 0x8000_0000
    var offset: UInt64
    var fileSize: UInt64
    var memorySize: UInt64
  }

  private static let limit = 4096
  // lui t0, 0x100; lui t1, 5; addi t1, t1, 0x555; sw t1, 0(t0); j .
  private static let code: [UInt32] = [0x0010_02b7, 0x0000_5337, 0x5553_0313, 0x0062_a023, 0x0000_006f]

  var wordSize: UInt8 = 2
  var byteOrder: UInt8 = 1
  var type: UInt64 = 2
  var machine: UInt64 = 243
  var entry: UInt64 = 0x8000_0000
  var headersAt: UInt64 = 64
  var headerSize: UInt64 = 56
  var sectionsAt: UInt64 = 0
  var sectionCount: UInt64 = 0
  /// As the header counts them; nil for as many as there are.
  var count: UInt64?
  var segments: [Segment]

  /// With `count` segments of the same code, one behind the other.
  init(segments count: Int = 1) {
    let offset = UInt64(64 + count * 56)
    let size = UInt64(Self.code.count * 4)
    segments = (0..<UInt64(count)).map {
      Segment(address: 0x8000_0000 + $0 * size, offset: offset, fileSize: size, memorySize: size)
    }
  }

  var bytes: [UInt8] {
    var image: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, wordSize, byteOrder, 1] + [UInt8](repeating: 0, count: 9)
    func put(_ value: UInt64, _ bytes: Int) {
      for index in 0..<bytes { image.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
    for (value, size) in [
      (type, 2), (machine, 2), (1, 4), (entry, 8), (headersAt, 8), (sectionsAt, 8), (0, 4), (64, 2),
      (headerSize, 2), (count ?? UInt64(segments.count), 2), (64, 2), (sectionCount, 2), (0, 2),
    ] as [(UInt64, Int)] { put(value, size) }
    for segment in segments {
      for (value, size) in [
        (1, 4), (5, 4), (segment.offset, 8), (segment.address, 8), (segment.address, 8),
        (segment.fileSize, 8), (segment.memorySize, 8), (4, 8),
      ] as [(UInt64, Int)] { put(value, size) }
    }
    for instruction in Self.code { put(UInt64(instruction), 4) }
    return image
  }

  /// What is wrong, and the file that has it.
  static let broken: [(what: String, bytes: [UInt8])] = {
    func one(_ what: String, _ change: (inout CraftedELF) -> Void) -> (what: String, bytes: [UInt8]) {
      var file = CraftedELF()
      change(&file)
      return (what, file.bytes)
    }
    return [
      ("an empty file", []),
      ("text", Array("#!/bin/sh\necho \u{1b}[31m\n".utf8)),
      one("32-bit") { $0.wordSize = 1 },
      one("big-endian") { $0.byteOrder = 2 },
      one("for x86-64") { $0.machine = 62 },
      one("for AArch64") { $0.machine = 183 },
      one("an object file") { $0.type = 1 },
      one("no segments") { $0.segments = [] },
      one("65535 program headers") { $0.count = 0xffff },
      one("headers behind the file") { $0.count = 64 },
      one("headers at 2^64 - 8") { $0.headersAt = .max - 7 },
      one("headers of one byte") { $0.headerSize = 1 },
      one("65535 section headers") { ($0.sectionsAt, $0.sectionCount) = (64, 0xffff) },
      one("section headers behind the file") { ($0.sectionsAt, $0.sectionCount) = (.max - 63, 2) },
      one("a segment below RAM") { $0.segments[0].address = 0x1000 },
      one("a segment behind RAM") { $0.segments[0].address = 0x9000_0000 },
      one("a segment at 2^64 - 4") { $0.segments[0].address = .max - 3 },
      one("a segment that wraps to its start") { $0.segments[0].memorySize = .max },
      one("a segment of 2^63 bytes") { $0.segments[0].memorySize = 1 << 63 },
      one("bytes behind the file") { $0.segments[0].offset = 1 << 40 },
      one("bytes that wrap") { ($0.segments[0].offset, $0.segments[0].fileSize) = (.max - 3, 20) },
      one("more bytes than memory") { $0.segments[0].memorySize = 4 },
      one("an entry outside RAM, and nothing where harts start") {
        $0.entry = 0
        $0.segments[0].address += 4
      },
      one("two segments for one place") { $0.segments.append($0.segments[0]) },
      ("65 segments", CraftedELF(segments: 65).bytes),
    ]
  }()

  /// What is odd, as QEMU takes it, and the file that has it: guests that pass.
  static let odd: [(what: String, bytes: [UInt8])] = {
    func one(_ what: String, _ change: (inout CraftedELF) -> Void) -> (what: String, bytes: [UInt8]) {
      var file = CraftedELF(segments: 2)
      change(&file)
      return (what, file.bytes)
    }
    return [
      one("an entry outside RAM") { $0.entry = 0 },
      one("an odd entry") { $0.entry += 1 },
      one("a segment below RAM") { $0.segments[1].address = 0x7fff_f000 },
      one("a segment in the flash") { $0.segments[1].address = 0x2000_0000 },
      one("a segment behind RAM") { $0.segments[1].address = 0x9000_0000 },
      one("a segment at 2^63") { $0.segments[1].address = 1 << 63 },
      one("a segment on a device") { $0.segments[1].address = 0x1000_0000 },
      one("zeros over the code") { ($0.segments[1].address, $0.segments[1].fileSize) = (0x8000_0000, 0) },
      one("a segment of nothing") { ($0.segments[1].fileSize, $0.segments[1].memorySize) = (0, 0) },
    ]
  }()
}
