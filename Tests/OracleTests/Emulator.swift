import FSRMachine
internal import FSRState
import FSRSystem
import FSRTestSupport
import Foundation

/// QEMU, whose `virt` board ours is a subset of: what a program does there, it has to do here.
enum Emulator {
  /// RAM of both boards, in MiB; the programs know where it ends.
  static let megabytes: UInt64 = 16
  /// How long a program may take, in nanoseconds: far more than it needs, also where all other tests run beside it.
  static let timeout: UInt64 = 600_000_000_000

  /// A hart as ours are: RV64IMAC, without other modes, floating point, protection and bit manipulation.
  private static let cpu =
    "rv64,u=off,s=off,h=off,f=off,d=off,zba=off,zbb=off,zbc=off,zbs=off,pmp=off,mmu=off"

  private static let path: String? = {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return folders.split(separator: ":").map { "\($0)/qemu-system-riscv64" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// Whether it is there. Where it is not, nothing is compared, and that is said aloud, once.
  static let isThere: Bool = {
    if path == nil {
      let line =
        "SKIPPED: no qemu-system-riscv64 in PATH: OracleTests compares nothing; Debian's package is qemu-system-misc\n"
      FileHandle.standardError.write(Data(line.utf8))
    }
    return path != nil
  }()

  /// Runs the ELF file at `guest` to its end, on a board of `harts`.
  ///
  /// - Parameter isPlain: with QEMU's default hart, whose other modes count where the board numbers them.
  static func run(_ guest: String, harts: Int, isPlain: Bool = false) throws -> Outcome {
    guard let path else { throw Absent() }
    let place = try TemporaryDirectory()
    let errors = try place.directory.openFile("errors", .append)
    let child = try ChildProcess.spawn(
      executable: path,
      arguments: [
        path, "-M", "virt", "-cpu", isPlain ? "rv64" : cpu, "-smp", "\(harts)", "-m", "\(megabytes)M",
        "-bios", "none",
        "-display", "none", "-monitor", "none", "-no-reboot", "-serial", "file:\(place.path)/console",
        "-kernel", guest,
      ], environment: ["PATH=/usr/bin:/bin"],
      inheriting: [.init(errors.number, as: 1), .init(errors.number, as: 2)])
    let hasExited = try child.process.waitForExit(timeout: timeout)
    if !hasExited {
      try child.process.signal(SignalNumber.kill)
      _ = try child.process.waitForExit(timeout: nil)
    }
    let status = try child.process.reap()
    let said = try text(of: "errors", in: place.directory)
    return Outcome(
      console: try text(of: "console", in: place.directory), end: end(hasExited ? status : nil),
      remark: said.isEmpty ? nil : said)
  }

  /// The finisher's code is the exit's; an emulator that did not like its command line ends with 1 too.
  private static func end(_ status: FSRSystem.ExitStatus?) -> GuestEnd? {
    switch status {
    case .exited(0): .passed
    case .exited(let code): .failed(code: UInt64(code))
    case .signaled, nil: nil
    }
  }

  private static func text(of name: String, in directory: borrowing Directory) throws -> String {
    guard try directory.exists(name) else { return "" }
    return String(decoding: try directory.openFile(name, .read).readAll(limit: 1 << 26), as: UTF8.self)
  }
}
