internal import ArgumentParser
internal import FSRClient
internal import FSRHost
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
    let found = try RuntimeDirectory.open(try path, creating: creating)
    try found.workAsItsOwner()
    return found
  }

  /// The folder, for a command that is content with none: nil where it is not there. Of one that somebody has named that
  /// is said, since it may be misspelt.
  func openIfThere() throws(VMError) -> RuntimeDirectory? {
    do { return try open(creating: false) } catch {
      guard error.kind == .noSuchVM else { throw error }
      let variable = try Self.environment[RuntimeDirectory.variable] ?? ""
      let path = try path
      if runtimeDir != nil || !variable.isEmpty {
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
    let found = try? RuntimeDirectory.open(try path(option), creating: false).names()
    // The ledger lies beside the VMs, and is none.
    return (found ?? []).filter { (try? VMName(parsing: $0)) != nil }
  }

  private var path: String { get throws(VMError) { try Self.path(runtimeDir) } }

  private static func path(_ option: String?) throws(VMError) -> String {
    // What was typed says all.
    if let option { return option }
    return RuntimeDirectory.locate(
      option: nil, environment: try environment, userID: Host.effectiveUserID)
  }

  /// The variables that say where it lies.
  ///
  /// - Throws: `VMError` `usage` where one is no text.
  private static var environment: [String: String] {
    get throws(VMError) {
      var environment: [String: String] = [:]
      // Root's folder does not depend on a session.
      let session = Host.effectiveUserID == 0 ? [] : ["XDG_RUNTIME_DIR"]
      for name in [RuntimeDirectory.variable] + session {
        do throws(SystemError) { environment[name] = try Environment.text(of: name) } catch {
          throw VMError(
            .usage, "the value of $\(name) is not UTF-8; name the runtime folder with --runtime-dir")
        }
      }
      return environment
    }
  }

  /// The folder of a VM that is there.
  func folder(of name: VMName) throws(VMError) -> VMFolder {
    let found = try open(creating: false)
    do throws(VMError) { return try found.vm(name.description) } catch {
      guard error.kind == .noSuchVM, let vm = FolderlessVM.all(in: found, named: name.description).first
      else {
        throw error
      }
      throw vm.error
    }
  }
}

/// The VM that a command is about.
struct NameArgument: ParsableArguments {
  @Argument(
    help: "The VM's name.", completion: .custom { words, _, _ in RuntimeOptions.names(behind: words) },
    transform: VMName.init(parsing:))
  var name: VMName
}
