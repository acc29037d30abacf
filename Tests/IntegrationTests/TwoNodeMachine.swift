import FSRSystem
import FSRTestSupport
import Foundation

/// An emulated machine with two memory nodes: what `.ci/two-node-machine` boots.
enum TwoNodeMachine {
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../.ci/two-node-machine").standardized.path

  /// Whether it can be booted. Where it cannot, guests are placed on one node only, and what is missing is said aloud.
  static let isThere: Bool = {
    let result = try? BuiltCommand.shell("bash \"$MACHINE\" --ready", environment: environment)
    if let result, result.code == 0 { return true }
    let missing = result.map { $0.output.split(separator: "\n").joined(separator: ", ") } ?? "a shell"
    FileHandle.standardError.write(
      Data("SKIPPED: TwoNodeTests places guests on no second memory node: missing \(missing)\n".utf8))
    return false
  }()

  private static var environment: [String] {
    let own = ProcessInfo.processInfo.environment
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return ["MACHINE=\(script)", "PATH=\(path)"]
      + ["HOME", "XDG_CACHE_HOME", "FSR_MACHINE_CACHE", "TMPDIR"].compactMap { name in
        own[name].map { "\(name)=\($0)" }
      }
  }

  /// Runs a shell's `script` there as root, with `fsr`; what it printed is the answer's output.
  static func run(_ script: String) throws -> BuiltCommand.Result {
    let place = try TemporaryDirectory()
    try place.directory.openFile("script", .createNew).write(Array(script.utf8))
    return try BuiltCommand.shell(
      "bash \"$MACHINE\" '\(place.path)/script' \"$FSR\"", environment: environment)
  }
}
