import FSRSystem
import FSRTestSupport
import Synchronization

/// A place in which bad input is tried: whatever was refused must have left nothing there.
struct BadInput: ~Copyable {
  private static let next = Atomic<Int>(0)
  let place: TemporaryDirectory
  /// Not there before a command makes it.
  let runtime: String
  /// A name that no other test's VM has; `$NAME` in scripts.
  let name: String

  init(depth: Int = 0) throws {
    place = try TemporaryDirectory(under: "/tmp", depth: depth)
    runtime = place.path + "/vms"
    name = "bad-\(ProcessIdentity.current().pid)-\(Self.next.add(1, ordering: .relaxed).newValue)"
  }

  deinit {
    // The ledger is the folder's, and outlives its VMs.
    if let folder = try? Directory.open(runtime) {
      for name in [".ledger", ".ledger.lock"] { try? folder.unlink(name) }
    }
    try? place.directory.removeDirectory("vms")
  }

  func fsr(_ arguments: [String]) throws -> BuiltCommand.Result {
    try BuiltCommand.run(arguments + ["--runtime-dir", runtime])
  }

  /// Writes `bytes` to the file `name`, anew; answers its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try? place.directory.unlink(name)
    try place.directory.openFile(name, .createNew).write(bytes)
    return place.path + "/" + name
  }

  /// Runs a shell's `script` in the place, with the built command as `$FSR` and the runtime folder as `$VMS`. It
  /// ends with 124 if it takes longer than anything here may.
  func shell(_ script: String) throws -> BuiltCommand.Result {
    try BuiltCommand.shell(
      "cd \(place.path) && exec timeout 150 bash -c \"$SCRIPT\"",
      environment: [
        "VMS=\(runtime)", "NAME=\(name)", "SCRIPT=\(script)", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      ])
  }

  /// The same where mounts are the script's own, and `/dev/shm` is new and empty; what is left there in the end
  /// goes to standard output as lines that begin with LEFT.
  ///
  /// A mount that is changed needs its source named too (`mount -o remount,ro tmpfs vms`): mount(8) else repeats the options
  /// that it has, and of an ordinary user the owner among them, who has no number there.
  func privateShell(_ script: String) throws -> BuiltCommand.Result {
    let inner =
      "mount -t tmpfs tmpfs /dev/shm && { \(script)\n }; code=$?; ls -A /dev/shm | sed 's/^/LEFT /'; exit $code"
    return try shell(
      "exec unshare --user --map-root-user --mount bash -c '\(inner.replacing("'", with: "'\\''"))'")
  }

  /// Whether this machine lets a test have mounts of its own.
  static let hasPrivateMounts: Bool = {
    let result = try? BuiltCommand.shell("unshare --user --map-root-user --mount mount -t tmpfs tmpfs /mnt")
    if result?.code == 0 { return true }
    try? OwnedDescriptor.standardError().write(
      Array("SKIPPED: full disks: no mounts of one's own here (\(result?.errors ?? "no shell"))\n".utf8))
    return false
  }()

  /// What is there of the VM though it was refused: its processes, anything in the runtime folder.
  func remains() throws -> [String] {
    var left = try ProcessTable.machines(named: name).map { "process \($0.key)" }
    if let found = try? Directory.open(runtime) { left += try found.names(limit: 1000).map { "entry \($0)" } }
    return left
  }
}

extension BuiltCommand.Result {
  /// Whether standard error is one line, from us, with nothing that a terminal obeys.
  var complainsOnce: Bool {
    errors.hasPrefix("fsr: ") && errors.hasSuffix("\n") && errorLines.count == 1
      && errors.unicodeScalars.dropLast().allSatisfy { $0.properties.generalCategory != .control }
  }

  /// Whether standard output is one JSON object on one line.
  var answersOnce: Bool {
    guard output.hasSuffix("\n"), output.split(separator: "\n").count == 1 else { return false }
    return (try? JSONValue(parsing: output))?.keys.isEmpty == false
  }
}
