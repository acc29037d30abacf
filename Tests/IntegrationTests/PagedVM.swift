import FSRSystem
import FSRTestSupport

/// A VM whose guest is larger than the memory that it may keep, with a swap file of its own.
struct PagedVM: ~Copyable {
  /// Pages that may be resident beyond the limit for a moment: those that come while others are on their way out.
  static let overshoot: Double = 128

  let vm: TestVM
  let place: TemporaryDirectory
  let swap: String

  /// - Parameter root: where the swap file lies.
  init(under root: String = "/tmp") throws {
    let made = try TestVM()
    let folder = try TemporaryDirectory(under: root)
    vm = made
    swap = folder.path + "/swap"
    place = folder
  }

  func run(
    memory: String = "64M", resident: String = "16M", vcpus: Int = 2, _ options: [String] = []
  ) throws {
    try vm.run(
      ["--memory", memory, "--resident", resident, "--swap", swap, "--vcpus", "\(vcpus)", "--duty", "50"]
        + options)
  }

  func status() throws -> JSONValue { try vm.status() }

  func evictions() throws -> Double {
    guard let count = try status()["paging"]?["evictions"]?.number else {
      throw Unexpected("nobody says how many pages were evicted")
    }
    return count
  }

  /// Waits until so many pages more have been evicted by the VMM that is there.
  func waitForEvictions(_ more: Double) throws {
    let before = try evictions()
    guard try TestVM.wait(until: { try evictions() >= before + more }) else {
      throw Unexpected("no \(more) evictions after \(before)")
    }
  }

  /// Waits until at least so many operations of the VMM that is there have failed; answers how many had.
  func waitForFailures(_ least: Int) throws -> Int {
    var count: Double = 0
    let isReached = try TestVM.wait {
      count = try status()["paging"]?["failures"]?.number ?? 0
      return count >= Double(least)
    }
    if !isReached { throw Unexpected("\(count) operations have failed, of \(least): \(try status())") }
    return Int(count)
  }

  /// What does not add up while the guest stands still.
  func findingsAtRest(pages: Double, limit: Double) throws -> [String] {
    let paused = try vm.pause()
    guard paused.code == 0 else { return ["pause: \(paused)"] }
    var findings: [String] = []
    // What was under way when the guest was stopped comes to its end, and where a write failed before the pager rests.
    let isAtRest = try TestVM.wait {
      let status = try self.status()
      let resident = status["memory"]?["resident_pages"]?.number ?? .infinity
      return status["memory"]?["swapped_pages"] == status["swap"]?["used"]
        && resident <= limit + Self.overshoot
    }
    let status = try self.status()
    if !isAtRest { findings.append("it does not come to rest: \(status)") }
    if status["memory"]?["swapped_pages"] != status["swap"]?["used"] {
      findings.append("swapped pages and used slots differ: \(status)")
    }
    let resident = status["memory"]?["resident_pages"]?.number ?? .infinity
    if resident > limit + Self.overshoot { findings.append("\(resident) pages are resident: \(status)") }
    let parts = ["resident_pages", "compressed_pages", "swapped_pages", "absent_pages"]
    let sum = parts.compactMap { status["memory"]?[$0]?.number }.reduce(0, +)
    if sum != pages { findings.append("\(sum) of \(pages) pages: \(status)") }
    let resumed = try vm.fsr(["resume", vm.name])
    return findings + (resumed.code == 0 ? [] : ["resume: \(resumed)"])
  }

  /// The guest's own judgement.
  func guestFindings() throws -> [String] {
    var findings: [String] = []
    if try !vm.advances() { findings.append("the guest stands still") }
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest counts errors: \(String(describing: errors))") }
    return findings
  }

  /// Ends it; answers what is left.
  func stopped() throws -> [String] {
    try vm.stopped() + place.directory.names(limit: 10).map { "\($0) is left" }
  }

  /// Whether there is a user without rights here.
  static let canBeWithoutRights = Host.effectiveUserID != 0 || OtherUser.canRunCommand

  /// Runs `script` beside a VM of a user without rights: another one where this is root. There are `fsr`, and its folder
  /// `own` with the VM's files.
  static func withoutRights(_ script: String) throws -> BuiltCommand.Result {
    let place = try TemporaryDirectory(under: "/tmp")
    return try BuiltCommand.shell(
      """
      cd \(place.path) && \(OtherUser.copy) && mkdir own && chmod 700 own || exit 9
      as=""; [ "$(id -u)" = 0 ] && { chown 65534 own; as="setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all"; }
      fsr() { $as ./fsr "$@" --runtime-dir "$PWD/own/vms"; }
      fsr run vm --memory 32M --resident 8M --swap own/swap --duty 30 --compression 256K >/dev/null || exit 8
      \(script)
      rm -rf own fsr
      """)
  }
}
