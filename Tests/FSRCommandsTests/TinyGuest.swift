import FSRSystem
import FSRTestSupport

/// A RISC-V ELF of a few instructions: writes `A` to the console and ends by the test finisher.
struct TinyGuest {
  /// What it tells the finisher.
  enum End {
    case passed
    /// With code 7.
    case failed

    /// `lui t1` and `addi t1, t1` of the value.
    var instructions: [UInt32] {
      switch self {
      case .passed: [0x0000_5337, 0x5553_0313]
      case .failed: [0x0007_3337, 0x3333_0313]
      }
    }
  }

  let bytes: [UInt8]

  init(_ end: End) {
    // lui t2, 0x10000; addi a0, zero, 'A'; sb a0, 0(t2); lui t0, 0x100; …; sw t1, 0(t0); j .
    let code: [UInt32] =
      [0x1000_03b7, 0x0410_0513, 0x00a3_8023, 0x0010_02b7] + end.instructions + [0x0062_a023, 0x0000_006f]
    var image: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
    func put(_ value: UInt64, _ count: Int) {
      for index in 0..<count { image.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
    let base: UInt64 = 0x8000_0000
    let head: UInt64 = 64 + 56
    // e_type, e_machine, e_version, e_entry, e_phoff, e_shoff, e_flags, e_ehsize, e_phentsize, e_phnum, e_sh…
    for (value, count) in [
      (2, 2), (243, 2), (1, 4), (base, 8), (64, 8), (0, 8), (0, 4), (64, 2), (56, 2), (1, 2), (0, 2), (0, 2),
      (0, 2),
    ] as [(UInt64, Int)] { put(value, count) }
    let size = UInt64(code.count * 4)
    // p_type, p_flags, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align
    for (value, count) in [
      (1, 4), (5, 4), (head, 8), (base, 8), (base, 8), (size, 8), (size, 8), (4, 8),
    ] as [(UInt64, Int)] { put(value, count) }
    for instruction in code { put(UInt64(instruction), 4) }
    bytes = image
  }

  /// Writes it, or its first `count` bytes, to the file `name`.
  func write(to name: String, in place: borrowing TemporaryDirectory, first count: Int? = nil) throws
    -> String
  {
    let file = try place.directory.openFile(name, .createNew)
    try file.write(Array(bytes.prefix(count ?? bytes.count)))
    return place.path + "/" + name
  }
}
