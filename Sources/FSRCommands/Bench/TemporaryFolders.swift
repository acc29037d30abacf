internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// The runtime folders that `fsr demo` and `fsr bench` make for their VMs.
enum TemporaryFolders {
  /// On tmpfs, so that the folder holds everything that the VM has files for.
  private static let root = "/dev/shm"
  private static let uses = ["demo", "bench"]
  /// Names below `root` that are looked at, and how often a folder is made anew that somebody has removed at once.
  private static let nameLimit = 65536
  private static let tries = 8

  /// One that was made, and is in use as long as this is there.
  struct Made: ~Copyable {
    let path: String
    let leaf: String
    let directory: Directory
  }

  /// Makes one for the VM `name`.
  static func make(for name: String) throws -> Made {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<tries {
      let leaf = "fsr-\(name)-" + String(UInt64.random(in: .min ... .max, using: &random), radix: 16)
      let parent = try Directory.open(root)
      try parent.make(leaf)
      // Until it is locked it looks like one that was left.
      guard let made = try? Directory.open(leaf, in: parent), try made.descriptor.tryShareWithCleaners(),
        try !made.isRemoved()
      else { continue }
      return Made(path: "\(root)/\(leaf)", leaf: leaf, directory: made)
    }
    throw Failure(.refused, "no folder can be made in \(root): somebody removes it at once")
  }

  static func remove(_ leaf: String) { try? Directory.open(root).removeDirectory(leaf) }

  /// Removes what is left of this user's former ones that were killed with all that they had started: what nobody holds, and
  /// that holds nothing but a VM of which nobody lives.
  static func clear() {
    guard let parent = try? Directory.open(root), let names = try? parent.names(limit: nameLimit) else {
      return
    }
    for leaf in names where isOurs(leaf, in: parent) {
      guard let found = try? Directory.open(leaf, in: parent),
        (try? found.descriptor.tryLockAsCleaner()) == true
      else { continue }
      clearVMs(in: "\(root)/\(leaf)")
      // Refused where it is not empty.
      try? parent.removeDirectory(leaf)
    }
  }

  private static func isOurs(_ leaf: String, in parent: borrowing Directory) -> Bool {
    let parts = leaf.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "fsr", uses.contains(String(parts[1])),
      UInt64(parts[2], radix: 16) != nil, let kind = (try? parent.kind(of: leaf)) ?? nil, kind == .directory,
      let owner = try? parent.ownership(of: leaf)
    else { return false }
    return owner.uid == Host.effectiveUserID
  }

  private static func clearVMs(in path: String) {
    guard let runtime = try? RuntimeDirectory.open(path, creating: false) else { return }
    for name in (try? runtime.names()) ?? [] {
      guard let vm = try? runtime.vm(name), case .gone = vm.look() else { continue }
      try? VMClient.stop(vm)
    }
  }
}
