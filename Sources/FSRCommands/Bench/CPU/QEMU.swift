internal import FSRSystem

/// A QEMU for RISC-V, run as the reference for the same guest.
struct QEMU: Sendable {
  private static let name = "qemu-system-riscv64"
  /// Nanoseconds that it may take to say its version.
  private static let versionLimit: UInt64 = 20_000_000_000
  private static let pollInterval: UInt64 = 50_000_000
  private static let imageNumber: Int32 = 3

  let path: String
  /// Its own first line about itself.
  let version: String

  /// The one at `path`, or the first one in PATH.
  ///
  /// - Throws: `Failure` with the reason where there is none that can be started.
  static func find(_ path: String?, _ interruption: Interruption) throws -> QEMU {
    for candidate in path.map({ [$0] }) ?? candidates {
      guard path != nil || (try? OwnedDescriptor.open(candidate, .read)) != nil else { continue }
      do {
        let output = try run(
          candidate, ["--version"], image: nil, deadline: MonotonicClock.now() + versionLimit, interruption)
        let text = String(decoding: output, as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        guard line.contains("QEMU") else { throw Failure(.failed, "\(candidate) is no QEMU") }
        return QEMU(path: candidate, version: String(line.prefix(200)))
      } catch {
        try interruption.check()
        throw Failure(.failed, "\(candidate) cannot be used: \(error)")
      }
    }
    throw Failure(.failed, "\(name) is not in PATH; name one with --qemu")
  }

  private static var candidates: [String] {
    let path = Environment.all.first { $0.hasPrefix("PATH=") }?.dropFirst("PATH=".count) ?? ""
    return path.split(separator: ":").map { "\($0)/\(name)" }
  }

  /// Runs `image` on `harts` harts until it ends the machine, and answers what it printed.
  ///
  /// - Parameters:
  ///   - timeout: nanoseconds, after which it is killed.
  ///   - wait: called now and then while it runs.
  func run(_ image: [UInt8], harts: Int, timeout: UInt64, _ interruption: Interruption, wait: () -> Void)
    throws
    -> [UInt8]
  {
    let file = try Memfd.create(name: "fsr-bench-guest", size: UInt64(image.count))
    try file.write(image, at: 0)
    let arguments = [
      "-M", "virt", "-bios", "none", "-nographic", "-smp", "\(harts)", "-kernel",
      "/proc/self/fd/\(QEMU.imageNumber)",
    ]
    return try QEMU.run(
      path, arguments, image: Owned(file), deadline: MonotonicClock.now() + timeout, interruption, wait: wait)
  }

  private static func run(
    _ path: String, _ arguments: [String], image: Owned<OwnedDescriptor>?, deadline: UInt64,
    _ interruption: Interruption, wait: () -> Void = {}
  ) throws -> [UInt8] {
    let output = try OutputMemory()
    let null = try OwnedDescriptor.open("/dev/null", .read)
    var inherited: [ChildProcess.Inheritance] = [
      .init(null.number, as: 0), .init(output.descriptor.number, as: 1),
      .init(output.descriptor.number, as: 2),
    ]
    if let image { inherited.append(.init(image.value.number, as: imageNumber)) }
    let child = try ChildProcess.spawn(
      executable: path, arguments: [name] + arguments, environmentBytes: Environment.bytes,
      inheriting: inherited)
    var isInTime = true
    while try !child.process.waitForExit(timeout: pollInterval) {
      wait()
      isInTime = MonotonicClock.now() < deadline
      if isInTime && !interruption.hasCome { continue }
      _ = try child.process.signal(SignalNumber.kill)
      _ = try child.process.waitForExit(timeout: versionLimit)
      break
    }
    let status = try child.process.reap()
    try interruption.check()
    guard isInTime else { throw Failure(.failed, "\(name) took too long and was killed") }
    let bytes = try output.bytes()
    guard status == .exited(0) else {
      let said = String(decoding: bytes.suffix(200), as: UTF8.self)
      throw Failure(.failed, "\(name) failed: \(said)")
    }
    return bytes
  }
}
