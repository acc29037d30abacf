internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// A VM in a runtime folder of its own, for `fsr demo` and `fsr bench`; both go when it goes, however that is.
struct TemporaryVM: ~Copyable {
  /// Nanoseconds that the VM may take to answer.
  private static let timeout: UInt64 = 10_000_000_000
  /// Nanoseconds between two looks at the guest.
  private static let pollInterval: UInt64 = 10_000_000

  let folder: VMFolder
  private let limits: HandoffLimits
  private let path: String
  private let leaf: String
  /// Held, so that nobody takes the folder for one that was left.
  private let keeper: Directory

  /// Starts it. `configuration.name` is the folder's too; `image` and `console` are as for `VMLauncher`.
  static func start(
    _ configuration: VMConfiguration, image: consuming OwnedDescriptor? = nil,
    console: consuming OwnedDescriptor? = nil
  ) throws -> TemporaryVM {
    let limits = try HandoffLimits.ofEnvironment()
    TemporaryFolders.clear()
    let folder = try TemporaryFolders.make(for: configuration.name)
    do {
      let runtime = try RuntimeDirectory.open(folder.path, creating: false)
      // It ends itself where this process is killed.
      _ = try VMLauncher.start(configuration, in: runtime, image: image, console: console, endsWithUs: true)
      return TemporaryVM(folder: try runtime.vm(configuration.name), in: folder, limits)
    } catch {
      TemporaryFolders.remove(folder.leaf)
      throw error
    }
  }

  private init(folder: consuming VMFolder, in place: consuming TemporaryFolders.Made, _ limits: HandoffLimits)
  {
    self.limits = limits
    self.folder = folder
    path = place.path
    leaf = place.leaf
    keeper = place.directory
  }

  deinit {
    try? VMClient.stop(folder, limits: limits)
    TemporaryFolders.remove(leaf)
  }

  /// Stops the VM and answers the names of what is left in the folder all the same.
  func stop() throws -> [String] {
    try VMClient.stop(folder, limits: limits)
    return try Directory.open(path).names(limit: 4096)
  }

  /// The VMM's answer, and the soak guest's in it.
  ///
  /// - Throws: `Failure` where nobody answers.
  func measure() throws -> (status: VMStatus, guest: VMReport.Guest) {
    let deadline = MonotonicClock.now() + TemporaryVM.timeout
    while true {
      let status = try VMClient.status(of: folder)
      if status.isAnswered, let guest = status.report.facets.guest { return (status, guest) }
      // On a machine that is busy with other things a VMM may be late.
      guard status.state != .lost, MonotonicClock.now() < deadline else {
        throw Failure(
          .failed, "the VM does not answer (it is \(status.state.rawValue)); see \(status.report.facts.log)")
      }
    }
  }

  /// Hands it over. The downtime is bounded by `timeout` alone, so that a late switch is measured and not
  /// called off.
  func handOver(_ interruption: Interruption) throws -> HandoffRun {
    var options = CoordinatorSession.Options()
    options.maxDowntime = TemporaryVM.timeout
    let run = try HandoffRun.show(.handoff, on: folder, options: options, limits, interruption)
    try interruption.check()
    return run
  }

  /// What was executed in the first moments after a handoff that has just ended.
  ///
  /// - Throws: `Failure` where the VMM does not say.
  func arrival() throws -> [VMReport.Arrival] {
    let deadline = MonotonicClock.now() + TemporaryVM.timeout
    while true {
      // Asked when all should be there, so that asking takes nothing from the guest.
      MonotonicClock.sleep(Brownouts.timeout)
      let samples = try measure().status.report.facets.arrival
      if samples.count >= Brownouts.moments { return samples }
      guard MonotonicClock.now() < deadline else {
        throw Failure(.failed, "the VMM does not say how the guest fared after the handoff")
      }
    }
  }

  /// Waits until the soak guest has walked `passes` passes over its memory.
  ///
  /// - Parameter progress: told the guest's state at every look; what it throws ends the wait.
  func wait(forPasses passes: UInt64, timeout: UInt64, progress: (VMStatus) throws -> Void) throws {
    let deadline = MonotonicClock.now() + timeout
    while true {
      let now = try measure()
      if now.guest.passes >= passes { return }
      try progress(now.status)
      guard MonotonicClock.now() < deadline else {
        throw Failure(.failed, "the guest makes no progress; see \(now.status.report.facts.log)")
      }
      MonotonicClock.sleep(TemporaryVM.pollInterval)
    }
  }
}
