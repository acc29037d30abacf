import FSRHandoff
import FSRSystem
import FSRTestSupport
import Synchronization

/// A VM of real processes, in a runtime folder and under a name of its own. Nothing of it outlives the value.
final class TestVM: Sendable {
  private static let next = Atomic<Int>(0)
  /// How long anything may take before a test gives up on it, in nanoseconds: far more than it needs.
  static let timeout: UInt64 = 60_000_000_000

  let name: String
  let runtime: String
  /// The variable by which its VMMs, and whoever is about it, wait for each other.
  let limits: String
  private let folder: Owned<TemporaryDirectory>

  /// - Parameter limits: of a test that is about being waited for: the usual ones, or others.
  init(limits: String = BuiltCommand.patience) throws {
    self.limits = limits
    let number = Self.next.add(1, ordering: .relaxed).newValue
    name = "test-\(ProcessIdentity.current().pid)-\(number)"
    // Not on tmpfs, so that the blocks' place in /dev/shm is tested too.
    folder = Owned(try TemporaryDirectory(under: "/tmp"))
    runtime = folder.value.path
  }

  /// Whatever a failed test left behind.
  deinit {
    if ((try? folder.value.directory.names(limit: 10)) ?? []).isEmpty { return }
    for (pid, _) in (try? ProcessTable.machines(named: name)) ?? [:] {
      try? ProcessTable.signal(SignalNumber.kill, pid: pid, of: name)
    }
    _ = try? fsr(["stop", name])
  }

  @discardableResult
  func fsr(_ arguments: [String]) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments + ["--runtime-dir", runtime], environment: [limits])
  }

  func run(_ options: [String]) throws {
    let result = try fsr(["run", name] + options)
    guard result.code == 0 else { throw Unexpected("run: \(result)") }
  }

  func answer(_ command: String, _ options: [String] = []) throws -> (code: Int32?, value: JSONValue) {
    let result = try fsr([command, name] + options + ["--json"])
    return (result.code, try JSONValue(parsing: result.output))
  }

  /// What the VMM says that runs the guest. On a machine that is busy the block may have to answer for it now and then,
  /// and knows little.
  func status() throws -> JSONValue {
    var status = JSONValue.null
    let isSaid = try Self.wait {
      status = try answer("status").value
      return status["vcpus"].map { $0 != .null } ?? false
    }
    if !isSaid { throw Unexpected("no VMM says how it is: \(status)") }
    return status
  }

  /// Pauses the guest; once more, where a vCPU waited for the disk for too long.
  func pause() throws -> (code: Int32?, value: JSONValue) {
    var answer = try self.answer("pause")
    _ = try Self.wait {
      if answer.value["reason"]?.text?.contains("did not stop in time") != true { return true }
      answer = try self.answer("pause")
      return false
    }
    return answer
  }

  /// A handoff as a process that may stop or die.
  func startHandoff(_ options: [String], output: borrowing OwnedDescriptor) throws -> ChildProcess {
    try start("handoff", options, output: output)
  }

  /// A command about this VM, as a process of its own that answers in JSON.
  func start(_ command: String, _ options: [String], output: borrowing OwnedDescriptor) throws -> ChildProcess
  {
    try ChildProcess.spawn(
      executable: BuiltCommand.path(),
      arguments: ["fsr", command, name, "--json", "--runtime-dir", runtime] + options,
      environment: BuiltCommand.environment(limits),
      inheriting: [.init(output.number, as: 1), .init(output.number, as: 2)])
  }

  /// A run that stays in the foreground, as a process of its own.
  func startForeground(_ options: [String], output: borrowing OwnedDescriptor) throws -> ChildProcess {
    try ChildProcess.spawn(
      executable: BuiltCommand.path(),
      arguments: ["fsr", "run", name, "--foreground", "--runtime-dir", runtime] + options,
      environment: BuiltCommand.environment(limits),
      inheriting: [.init(output.number, as: 1), .init(output.number, as: 2)])
  }

  /// Types `text` for the guest, and waits until it was taken.
  func type(_ text: String) throws -> ExitStatus? {
    let place = try TemporaryDirectory()
    try place.directory.openFile("typed", .createNew).write(Array(text.utf8))
    let typed = try place.directory.openFile("typed", .read)
    let child = try ChildProcess.spawn(
      executable: BuiltCommand.path(),
      arguments: ["fsr", "console", name, "--new", "--runtime-dir", runtime],
      environment: BuiltCommand.environment(limits), inheriting: [.init(typed.number, as: 0)])
    return try child.ended()
  }

  func machines() throws -> [Int32: ProcessTable.State] { try ProcessTable.machines(named: name) }

  /// Lets every stopped VMM go on; answers whether there was one.
  @discardableResult
  func letGo() throws -> Bool {
    let stopped = try machines().filter { $0.value == .stopped }
    for (pid, _) in stopped { try ProcessTable.signal(SignalNumber.go, pid: pid, of: name) }
    return !stopped.isEmpty
  }

  // MARK: blocks

  /// Where the blocks lie; nil where the VM is gone.
  func blocksPath() -> String? {
    guard let place = try? Directory.open(name, in: folder.value.directory) else { return nil }
    return (try? place.readLink("blocks")) ?? "\(runtime)/\(name)/blocks"
  }

  func newestBlock() throws -> ControlBlock? {
    guard let path = blocksPath(), let found = try? Directory.open(path) else { return nil }
    return try BlockDirectory(found).newest()
  }

  /// The names of the blocks, drafts too.
  func blockNames() throws -> [String] {
    guard let path = blocksPath() else { return [] }
    return try Directory.open(path).names(limit: 1000).sorted()
  }

  /// Whether nobody coordinates anything.
  func isUnlocked() throws -> Bool {
    let place = try Directory.open(name, in: folder.value.directory)
    if case .free = try VMLock.look(in: place) { return true }
    return false
  }

  // MARK: what must hold

  /// Waits until `condition` holds; false when it never does.
  static func wait(until condition: () throws -> Bool) rethrows -> Bool {
    let deadline = MonotonicClock.now() + timeout
    while try !condition() {
      if MonotonicClock.now() > deadline { return false }
      MonotonicClock.sleep(5_000_000)
    }
    return true
  }

  /// The errors that the soak guest counts; nil if nobody ever says. On a machine that is busy the block may have
  /// to answer for the VMM, and it does not know the guest.
  func guestErrors() throws -> Double? {
    var errors: Double?
    _ = try Self.wait {
      errors = try answer("status").value["guest"]?["errors"]?.number
      return errors != nil
    }
    return errors
  }

  func instructions() throws -> Double? {
    let (code, status) = try answer("status")
    guard code == 0, status["state"]?.text == "running" else { return nil }
    return status["vcpus"]?.elements.compactMap { $0["instructions"]?.number }.reduce(0, +)
  }

  /// Whether the guest executes instructions.
  func advances() throws -> Bool {
    var first: Double?
    return try Self.wait {
      guard let now = try instructions() else { return false }
      defer { first = first ?? now }
      return first.map { now > $0 } ?? false
    }
  }

  /// Ends it; answers what is left of it, which should be nothing.
  func stopped() throws -> [String] {
    let blocks = blocksPath()
    let result = try fsr(["stop", name])
    var left = try remains()
    if result.code != 0 { left.append("stop ended with \(result)") }
    if let blocks, (try? Directory.open(blocks)) != nil { left.append("blocks in \(blocks)") }
    return left
  }

  /// What is there of it without its end being asked for: processes and files.
  func remains() throws -> [String] {
    try machines().map { "process \($0.key), \($0.value)" }
      // The ledger is the folder's, not the VM's.
      + folder.value.directory.names(limit: 1000).filter { !$0.hasPrefix(".ledger") }
      .map { "entry \($0) in the runtime folder" }
  }
}

struct Unexpected: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
