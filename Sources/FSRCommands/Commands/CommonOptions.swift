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

  func open(creating: Bool) throws(VMError) -> RuntimeDirectory {
    var environment: [String: String] = [:]
    for entry in Environment.all {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
    }
    let path = RuntimeDirectory.locate(
      option: runtimeDir, environment: environment, userID: Host.effectiveUserID)
    return try RuntimeDirectory.open(path, creating: creating)
  }

  /// The folder of a VM that is there.
  func folder(of name: VMName) throws(VMError) -> VMFolder {
    try open(creating: false).vm(name.description)
  }
}

/// The VM that a command is about.
struct NameArgument: ParsableArguments {
  @Argument(help: "The VM's name.", transform: VMName.init(parsing:)) var name: VMName
}
