internal import FSRHandoff
public import FSRHost
internal import FSRState
public import FSRSystem

/// Starts VMs, each in a process of its own.
public enum VMLauncher {
  /// How long a new VMM may take until its guest runs, in nanoseconds.
  private static let startLimit: UInt64 = 60_000_000_000

  /// How long it waits between two looks at whether it is called off, in nanoseconds.
  private static let startPollInterval: UInt64 = 10_000_000

  /// Starts a VM and returns when its guest runs.
  ///
  /// - Parameters:
  ///   - image: the guest's ELF; nil for the soak guest.
  ///   - ports: what it has in the network; its VMM attaches them to their taps.
  ///   - executable: the VMM's, this very program where nil.
  ///   - endsWithUs: whether the VM is to end when this process does, however that ends.
  ///   - replacingLost: whether it takes the place of one of its name that is lost. One that runs in the service that
  ///     this process belongs to is taken up as it is.
  ///   - isCancelled: asked between looks; a start that is called off leaves nothing.
  /// - Returns: the VMM's pid.
  /// - Throws: `VMError` `refused` for a name in use or a guest that cannot be loaded; nothing is left then.
  public static func start(
    _ configuration: VMConfiguration, in runtime: borrowing RuntimeDirectory,
    image: consuming OwnedDescriptor? = nil,
    console: consuming OwnedDescriptor? = nil, ports: [TapPort] = [], executable: String? = nil,
    endsWithUs: Bool = false, replacingLost: Bool = false, isCancelled: () -> Bool = { false }
  ) throws(VMError) -> Int32 {
    try FolderlessVM.checkIsNone(configuration.name, in: runtime)
    let folder = try runtime.makeVM(configuration.name)
    if replacingLost, let pid = try ServiceTakeover.takeUp(folder) { return pid }
    let lock = try takeLock(folder)
    defer { _ = lock }
    try VMClient.clearEnded(folder, orLost: replacingLost)
    do {
      try folder.writeMark()
      var bag = DescriptorBag()
      bag.append(try folder.directory.descriptor.duplicate())
      let start = VMStart(
        configuration: configuration, hasImage: image != nil, hasConsole: console != nil, ports: ports)
      if let image { bag.append(image) }
      if let console { bag.append(console) }
      return try spawn(
        folder, start, bag, executable ?? "/proc/self/exe", endsWithUs ? [Companion.own] : [], isCancelled)
    } catch {
      let refusal = refusal(error, folder)
      VMClient.forgetReservation(folder)
      folder.remove()
      throw refusal
    }
  }

  /// What the kernel does not give a new VM, memory or room on a disk, is a refusal: nothing was begun.
  private static func refusal(_ error: any Error, _ folder: borrowing VMFolder) -> VMError {
    guard let error = error as? SystemError else { return VMError(error) }
    return VMError(.refused, "\(folder.name) cannot be started in \(folder.path): \(error)")
  }

  private static func takeLock(_ folder: borrowing VMFolder) throws(VMError) -> Owned<VMLock> {
    do throws(HandoffError) {
      switch try VMLock.attempt(in: folder.directory) {
      case .taken(let lock): return Owned(lock)
      case .held:
        throw HandoffError.refused(
          Reason("somebody is at work on a VM named \(folder.name)", remedy: "use another name, or wait"))
      }
    } catch {
      if case .system(let failure) = error {
        let refusal = refusal(failure, folder)
        if folder.isNew { folder.remove() }
        throw refusal
      }
      throw VMError(.refused, error.reason)
    }
  }

  private static func spawn(
    _ folder: borrowing VMFolder, _ start: VMStart, _ bag: borrowing DescriptorBag, _ executable: String,
    _ variables: [String], _ isCancelled: () -> Bool
  ) throws -> Int32 {
    let pair = try UnixSocket.pair()
    let ours = pair.a
    let theirs = pair.b
    let log = try folder.directory.openFile(VMFiles.log, .append)
    let null = try OwnedDescriptor.open("/dev/null", .read)
    let child = try ChildProcess.spawn(
      executable: executable, arguments: VMMArguments.start(of: start.configuration.name),
      environmentBytes: Environment.bytes
        + (["\(VMStart.variable)=3"] + variables).map { Array($0.utf8) },
      inheriting: [
        ChildProcess.Inheritance(null.number, as: 0), ChildProcess.Inheritance(log.number, as: 1),
        ChildProcess.Inheritance(log.number, as: 2),
        ChildProcess.Inheritance(theirs.descriptor.number, as: 3),
      ], newSession: true)
    let closed = theirs.release()
    _ = consume closed
    try ours.send(start.encoded, descriptors: bag)
    do {
      let deadline = MonotonicClock.now() + startLimit
      var poller = Poller()
      poller.watch(ours.descriptor, token: 0)
      while try poller.wait(timeout: startPollInterval).isEmpty, MonotonicClock.now() < deadline {
        if isCancelled() { throw VMError(.other, "\(folder.name) was not started: it was called off") }
      }
      let reply = try ours.receive(limit: 8192, maximumDescriptors: 0, timeout: startPollInterval)?.bytes
      switch reply.flatMap({ VMStartReply($0) }) {
      case .running: return child.pid
      case .refused(let reason): throw VMError(.refused, "\(folder.name) cannot be started: \(reason)")
      case nil:
        throw VMError(.other, "\(folder.name) cannot be started: \(try obituary(of: child, folder))")
      }
    } catch {
      _ = try? child.process.signal(SignalNumber.kill)
      _ = try? child.process.waitForExit(timeout: startLimit)
      _ = try? child.process.reap()
      throw error
    }
  }

  /// How a VMM ended that said nothing to its starter.
  private static func obituary(of child: borrowing ChildProcess, _ folder: borrowing VMFolder) throws
    -> String
  {
    guard try child.process.waitForExit(timeout: endLimit), let status = try child.process.reap() else {
      return "its VMM says nothing; try again, the host may be busy"
    }
    switch status {
    case .signaled(SignalNumber.kill):
      return "its VMM was killed; see the kernel's log (dmesg), which tells of memory that ran out"
    case .signaled(let number):
      return "its VMM crashed (signal \(number))\(lastWords(in: folder)); report it"
    case .exited(let code):
      return
        "its VMM ended at once with code \(code)\(lastWords(in: folder)); see that this fsr can be executed"
    }
  }

  /// The last line of the log, which goes with the folder.
  private static func lastWords(in folder: borrowing VMFolder) -> String {
    guard let bytes = try? folder.directory.openFile(VMFiles.log, .read).readAll(limit: 1 << 20),
      let line = bytes.split(separator: UInt8(ascii: "\n")).last
    else { return "" }
    return ", and said last: " + String(decoding: line.suffix(400), as: UTF8.self)
  }

  /// How long a VMM that has hung up may take to end, in nanoseconds.
  private static let endLimit: UInt64 = 2_000_000_000
}
