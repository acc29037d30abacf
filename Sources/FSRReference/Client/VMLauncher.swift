internal import FSRHandoff
public import FSRMachine
public import FSRSystem

/// Starts VMs, each in a process of its own.
public enum VMLauncher {
  /// How long a new VMM may take until its guest runs, in nanoseconds.
  private static let startLimit: UInt64 = 60_000_000_000

  /// Starts a VM and returns when its guest runs.
  ///
  /// - Parameters:
  ///   - image: the guest's ELF; nil for the soak guest.
  ///   - ports: what it has in the network; its VMM attaches them to their taps.
  ///   - executable: the VMM's, this very program where nil.
  /// - Returns: the VMM's pid.
  /// - Throws: `VMError` `refused` for a name in use or a guest that cannot be loaded; nothing is left then.
  public static func start(
    _ configuration: VMConfiguration, in runtime: borrowing RuntimeDirectory,
    image: consuming OwnedDescriptor? = nil,
    console: consuming OwnedDescriptor? = nil, ports: [Port] = [], executable: String? = nil
  ) throws(VMError) -> Int32 {
    let folder = try runtime.makeVM(configuration.name)
    let lock = try takeLock(folder)
    defer { _ = lock }
    try VMClient.clearEnded(folder)
    do {
      try folder.writeMark()
      var bag = DescriptorBag()
      bag.append(try folder.directory.descriptor.duplicate())
      let start = VMStart(
        configuration: configuration, hasImage: image != nil, hasConsole: console != nil, ports: ports)
      if let image { bag.append(image) }
      if let console { bag.append(console) }
      let pid = try spawn(folder, start, bag, executable ?? "/proc/self/exe")
      return pid
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
          "somebody is at work on a VM named \(folder.name); use another name, or wait")
      }
    } catch {
      if case .system(let failure) = error {
        let refusal = refusal(failure, folder)
        if folder.isNew { folder.remove() }
        throw refusal
      }
      throw VMError(.refused, error.description)
    }
  }

  private static func spawn(
    _ folder: borrowing VMFolder, _ start: VMStart, _ bag: borrowing DescriptorBag, _ executable: String
  ) throws -> Int32 {
    let pair = try UnixSocket.pair()
    let ours = pair.a
    let theirs = pair.b
    let log = try folder.directory.openFile(VMFiles.log, .append)
    let null = try OwnedDescriptor.open("/dev/null", .read)
    let child = try ChildProcess.spawn(
      executable: executable, arguments: ["fsr", "vmm", start.configuration.name],
      environment: Environment.all + ["\(VMMProcess.startVariable)=3"],
      inheriting: [
        ChildProcess.Inheritance(null.number, as: 0), ChildProcess.Inheritance(log.number, as: 1),
        ChildProcess.Inheritance(log.number, as: 2),
        ChildProcess.Inheritance(theirs.descriptor.number, as: 3),
      ], newSession: true)
    let closed = theirs.release()
    _ = consume closed
    try ours.send(start.encoded, descriptors: bag)
    do {
      let reply = try ours.receive(limit: 8192, maximumDescriptors: 0, timeout: startLimit)?.bytes
      switch reply.flatMap({ VMStartReply($0) }) {
      case .running: return child.pid
      case .refused(let reason): throw VMError(.refused, "\(folder.name) cannot be started: \(reason)")
      case nil:
        throw VMError(
          .other,
          "\(folder.name) cannot be started: its VMM ended at once; see the kernel's log, as with dmesg")
      }
    } catch {
      _ = try? child.process.signal(SignalNumber.kill)
      _ = try? child.process.waitForExit(timeout: startLimit)
      _ = try? child.process.reap()
      throw error
    }
  }

  /// Waits for the guest's own end, over however many handoffs; nil when the VM was stopped or is lost.
  ///
  /// - Parameter isCancelled: asked between looks.
  public static func waitForEnd(of folder: borrowing VMFolder, isCancelled: () -> Bool) throws(VMError)
    -> GuestEnd?
  {
    while !isCancelled() {
      if let end = folder.ended { return end }
      switch try VMClient.ownership(of: folder) {
      case .owner(let owner): _ = owner.waitForExit(timeout: 100_000_000)
      // An owner will come of it, or its end be seen.
      case .undecided, .hidden: _ = try? Poller().wait(timeout: 20_000_000)
      case .nobody: return folder.ended
      }
    }
    return nil
  }
}
