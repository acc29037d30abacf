import Foundation

/// Guest programs, built by the toolchain's own clang.
public enum GuestProgram {
  /// Ends the guest by the finisher; takes t5 and t6.
  public static let finish = "li t5, 0x100000\n li t6, 0x5555\n sw t6, 0(t5)\n 1: j 1b\n"

  /// Puts `text` at `_start` and links it to the start of RAM; 64 KiB of zeros lie at `data`.
  public static func assemble(_ text: String) throws -> [UInt8] {
    let source = """
        .global _start, tohost
        .option norelax
        .text
      _start:
      \(text)
        .data
        .balign 4096
      data: .zero 4096
      """
    let script = """
      SECTIONS { . = 0x80000000; .text : { *(.text) } :all .data : { *(.data) } :all /DISCARD/ : { *(.riscv.attributes) } }
      PHDRS { all PT_LOAD FLAGS(7); }
      """
    return try build(
      [File("program.S", source), File("program.ld", script)], ["-Wl,-T,program.ld", "program.S"])
  }

  /// A source of a program: text, or bytes that another one includes.
  public struct File: Sendable {
    public let name: String
    public let bytes: [UInt8]

    public init(_ name: String, _ text: String) { self.init(name, bytes: Array(text.utf8)) }

    public init(_ name: String, bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }
  }

  /// Why there is no program.
  public struct NotBuilt: Error, CustomStringConvertible {
    public let description: String
  }

  /// Runs clang for RISC-V in a folder with these files.
  public static func build(_ files: [File], _ arguments: [String]) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fsr-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for file in files {
      try Data(file.bytes).write(to: folder.appendingPathComponent(file.name))
    }
    let clang = Process()
    guard let executable = Self.clang else { throw NotBuilt(description: "no clang beside a swift in PATH") }
    clang.executableURL = executable
    clang.currentDirectoryURL = folder
    clang.arguments =
      [
        "--target=riscv64-unknown-elf", "-march=rv64imac", "-mabi=lp64", "-mcmodel=medany", "-O2",
        "-ffreestanding", "-fno-builtin", "-fno-pic", "-fno-stack-protector", "-nostdlib", "-static",
        "-fuse-ld=lld", "-Wl,--strip-debug,--discard-all,-n,--build-id=none", "-o", "program.elf",
      ] + arguments
    try clang.run()
    clang.waitUntilExit()
    guard clang.terminationStatus == 0 else {
      throw NotBuilt(description: "clang \(arguments) ended with \(clang.terminationStatus)")
    }
    return [UInt8](try Data(contentsOf: folder.appendingPathComponent("program.elf")))
  }

  /// The clang beside the first `swift` in PATH: another one makes other bytes.
  private static let clang: URL? = {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    for folder in path.split(separator: ":") {
      let swift = URL(fileURLWithPath: String(folder)).appendingPathComponent("swift")
        .resolvingSymlinksInPath()
      let clang = swift.deletingLastPathComponent().appendingPathComponent("clang")
      let files = FileManager.default
      if files.isExecutableFile(atPath: swift.path), files.isExecutableFile(atPath: clang.path) {
        return clang
      }
    }
    return nil
  }()

  /// Whether there is a clang to build guests with.
  public static let isClangThere: Bool = {
    let there = (try? build([File("program.S", ".global _start\n_start: ret\n")], ["program.S"])) != nil
    if !there { print("SKIPPED: no clang for RISC-V in PATH: guests cannot be assembled") }
    return there
  }()
}
