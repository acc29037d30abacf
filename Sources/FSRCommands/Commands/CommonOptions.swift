internal import ArgumentParser
internal import FSRReference
internal import FSRSystem

/// How a command answers.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print one JSON object on standard output, whatever the exit code.") var json = false
}

/// Where the VMs live.
struct RuntimeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The runtime folder. Otherwise $FSR_RUNTIME_DIR, else /run/fsr for root, else $XDG_RUNTIME_DIR/fsr or "
        + "/tmp/fsr-UID.", valueName: "folder"), completion: .directory)
  var runtimeDir: String?

  /// Opens it. Of root's command in a user's folder the rest is done with that user's rights.
  func open(creating: Bool) throws(VMError) -> RuntimeDirectory {
    let found = try RuntimeDirectory.open(path, creating: creating)
    try found.workAsItsOwner()
    return found
  }

  /// The folder, for a command that is content with none: nil where it is not there. Of one that somebody has named that
  /// is said, since it may be misspelt.
  func openIfThere() throws(VMError) -> RuntimeDirectory? {
    do { return try open(creating: false) } catch {
      guard error.kind == .noSuchVM else { throw error }
      if runtimeDir != nil || !(Self.environment[RuntimeDirectory.variable] ?? "").isEmpty {
        Terminal.errors.line("fsr: no VMs: the runtime folder \(path) is not there")
      }
      return nil
    }
  }

  /// The names of the VMs that are there, for a shell that completes the command line `words`.
  static func names(behind words: [String]) -> [String] {
    var option: String?
    for (index, word) in words.enumerated() {
      if word == "--runtime-dir", index + 1 < words.count { option = words[index + 1] }
      if word.hasPrefix("--runtime-dir=") { option = String(word.dropFirst("--runtime-dir=".count)) }
    }
    let found = try? RuntimeDirectory.open(path(option), creating: false).names()
    // The ledger lies beside the VMs, and is none.
    return (found ?? []).filter { (try? VMName(parsing: $0)) != nil }
  }

  private var path: String { Self.path(runtimeDir) }

  private static func path(_ option: String?) -> String {
    RuntimeDirectory.locate(option: option, environment: environment, userID: Host.effectiveUserID)
  }

  private static var environment: [String: String] {
    var environment: [String: String] = [:]
    for entry in Environment.all {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
    }
    return environment
  }

  /// The folder of a VM that is there.
  func folder(of name: VMName) throws(VMError) -> VMFolder {
    try open(creating: false).vm(name.description)
  }
}

/// The VM that a command is about.
struct NameArgument: ParsableArguments {
  @Argument(
    help: "The VM's name.", completion: .custom { words, _, _ in RuntimeOptions.names(behind: words) },
    transform: VMName.init(parsing:))
  var name: VMName
}
