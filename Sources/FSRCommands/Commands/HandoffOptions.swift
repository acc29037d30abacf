internal import ArgumentParser
internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// What a handoff is to be like, and a check of one.
struct HandoffOptions: ParsableArguments {
  /// What becomes of the swap file.
  enum Swap: String, CaseIterable, ExpressibleByArgument {
    /// The new VMM goes on with the same file.
    case shared
    /// The new VMM gets a file of its own, into which the pages are copied.
    case mirrored
  }

  @Option(
    help: ArgumentHelp(
      "The new VMM's executable. (default: this one; of a VMM of another kind its own)", valueName: "binary"),
    completion: .file())
  var to: String?
  @Flag(help: "Do nothing if the VM runs that build, with that swap file, already.") var ifNeeded = false
  @Option(
    help: ArgumentHelp(
      "How long the guest may stand still before the old VMM takes it back. (default: 50ms)",
      valueName: "time"),
    transform: TimeSpan.init(parsing:))
  var maxDowntime = TimeSpan(nanoseconds: 50_000_000)
  @Option(
    help: ArgumentHelp("How long all of it may take. (default: 30s)", valueName: "time"),
    transform: TimeSpan.init(parsing:))
  var timeout = TimeSpan(nanoseconds: 30_000_000_000)
  @Option(
    help: "What becomes of the swap file: the new VMM goes on with the same one, or gets a copy of its own.")
  var swap = Swap.shared
  @Option(
    help: ArgumentHelp("With --swap mirrored: the new VMM's swap file.", valueName: "file"),
    completion: .file())
  var swapFile: String?
  @Option(
    help: ArgumentHelp(
      "With --swap mirrored: bytes to copy a second at most. (default: as fast as can be)", valueName: "size"),
    transform: ByteSize.init(parsing:))
  var copyRate: ByteSize?

  /// Nothing can see to it that a guest stands still for less.
  private static let shortestDowntime = TimeSpan(nanoseconds: 1_000_000)

  func validate() throws {
    if to == "" { throw ValidationError("'--to' names a file") }
    guard maxDowntime.nanoseconds >= Self.shortestDowntime.nanoseconds else {
      throw ValidationError(
        "'--max-downtime' is \(Self.shortestDowntime) at least: nobody could call a handoff off sooner")
    }
    switch swap {
    case .mirrored:
      guard let swapFile, !swapFile.isEmpty else {
        throw ValidationError("'--swap mirrored' needs '--swap-file', the file to copy to")
      }
      guard swapFile.utf8.count <= Self.pathLimit else {
        throw ValidationError("'--swap-file' has at most \(Self.pathLimit) bytes")
      }
    case .shared:
      if swapFile != nil { throw ValidationError("'--swap-file' goes with '--swap mirrored'") }
      if copyRate != nil { throw ValidationError("'--copy-rate' goes with '--swap mirrored'") }
    }
    if let copyRate, copyRate.bytes < Self.slowestCopy.bytes {
      throw ValidationError("'--copy-rate' is at least \(Self.slowestCopy)\(copyRate.reading)")
    }
  }

  /// Bytes of a path.
  private static let pathLimit = 4095
  private static let slowestCopy = ByteSize(64 << 10)

  private func swapPlan() throws -> HandoffPlan.Swap {
    guard let swapFile else { return .shared }
    return .mirrored(path: try WorkingDirectory.withoutLinks(swapFile), bytesPerSecond: copyRate?.bytes)
  }

  /// Says where the new swap file lies, if that needs saying.
  func warnOfSwapPlace() {
    if let swapFile, let path = try? WorkingDirectory.absolute(swapFile) { SwapPlace.warn(of: path) }
  }

  /// An executable that is to run the guest.
  struct Destination {
    let path: String
    /// Nil of a script, which may start a VMM of any build.
    let build: String?
  }

  /// The destination's executable, and which build it is. This program makes a VMM of the reference's kind; a VM that says
  /// that its VMM is of another goes to one more of that.
  ///
  /// - Throws: `VMError` `refused` where it cannot be read.
  func destination(of status: VMStatus) throws -> Destination {
    let isForeign = !status.report.facts.kind.isEmpty && status.report.facts.kind != VMReport.referenceKind
    let path =
      try to.map(WorkingDirectory.absolute) ?? (isForeign ? status.report.runner.binary : Executable.path())
    if let flaw = ExecutableFile.flaw(of: path) {
      throw VMError(.refused, "the new VMM's executable \(path) \(flaw)", remedy: "name a VMM with --to")
    }
    do {
      let isProgram = try ExecutableFile.isELF(path)
      return Destination(path: path, build: isProgram ? try BuildIdentity.ofExecutable(path: path) : nil)
    } catch {
      throw VMError(
        .refused,
        Reason(of: error).causing(
          "the new VMM's executable \(path) cannot be read", remedy: "name a file with --to"))
    }
  }

  /// Why nothing is to be done, where `--if-needed` says so: the VM runs that build, with the swap file asked for.
  func whyNotNeeded(_ status: VMStatus, build: String?) throws -> String? {
    guard ifNeeded, status.isAnswered, let build, status.report.runner.build == build else { return nil }
    guard let swapFile else { return "runs that build already" }
    guard let inUse = status.report.facets.paging?.swap.path,
      Self.isSame(try WorkingDirectory.absolute(swapFile), inUse)
    else { return nil }
    return "runs that build with that swap file already"
  }

  /// Whether two paths lead to one file.
  private static func isSame(_ path: String, _ other: String) -> Bool {
    if path == other { return true }
    guard let one = try? OwnedDescriptor.reference(to: path).identity(),
      let two = try? OwnedDescriptor.reference(to: other).identity()
    else { return false }
    return one == two
  }

  /// What the coordinator is told.
  func coordinatorOptions(executable: String) throws -> CoordinatorSession.Options {
    var options = CoordinatorSession.Options()
    options.executable = executable
    options.maxDowntime = maxDowntime.nanoseconds
    options.timeout = timeout.nanoseconds
    options.plan.swap = try swapPlan()
    return options
  }

  /// What is in a handoff's way before anybody is asked for one.
  func forecast(for folder: borrowing VMFolder) -> Blocker? {
    // Of a VMM that does not answer the rest of the time is left for asking it.
    history(of: folder) ?? VMClient.writers(of: folder, within: timeout.nanoseconds / 2)
  }

  /// What the VM's history says against a handoff; a history that cannot be read says nothing.
  private func history(of folder: borrowing VMFolder) -> Blocker? {
    guard let expected = try? HistoryFile.read(in: folder).expectedDowntime,
      expected > maxDowntime.nanoseconds / 1000
    else { return nil }
    return Blocker(
      .downtime,
      Reason(
        "by the handoffs before, the guest would stand still for \(expected) µs, and \(maxDowntime) are allowed"
      ))
  }

  /// How the VM fares, so far as it can be handed over.
  ///
  /// - Throws: `Failure` `lost`, and `VMError` `noSuchVM`.
  static func status(of folder: borrowing VMFolder) throws -> VMStatus {
    let status = try VMClient.status(of: folder)
    guard status.state != .lost else {
      throw Failure(
        .lost,
        "\(folder.name) is lost: the process that owned it is gone; `fsr stop \(folder.name)` clears up")
    }
    return status
  }
}
