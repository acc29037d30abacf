internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// A VM whose newest control block somebody has removed, while an older one lies there still and names none but the dead.
extension VMClient {
  /// How long somebody may have the VM without standing in a block, in nanoseconds: a VMM that was just started, or that
  /// ends.
  private static let anonymity: UInt64 = 500_000_000
  private static let anonymityLook: UInt64 = 10_000_000

  /// Whether a process has the VM that no control block names. What the newest one says of the VM is not true then.
  static func isHeldByAnUnnamed(_ folder: borrowing VMFolder) throws(VMError) -> Bool {
    let deadline = MonotonicClock.now() + anonymity
    while true {
      do throws(SystemError) { if try !VMPresence.isHeld(folder) { return false } } catch {
        throw VMError(error)
      }
      if namesSomebodyElse(folder) { return false }
      guard MonotonicClock.now() < deadline else { return true }
      MonotonicClock.sleep(anonymityLook)
    }
  }

  /// Whether a block of the VM names a VMM that lives, or of which that cannot be told: one who lost the guest and has not
  /// left yet holds the folder too.
  private static func namesSomebodyElse(_ folder: borrowing VMFolder) -> Bool {
    guard let blocks = (try? folder.blocks()) ?? nil else { return false }
    for attempt in (try? blocks.attempts()) ?? [] {
      guard let block = try? blocks.open(attempt) else { continue }
      for party in [Party.source, .destination] {
        switch block.life(of: party) {
        case .lives, .unknown: return true
        case .gone, nil: break
        }
      }
    }
    return false
  }

  /// Why nothing is said of the VM by its blocks.
  static func unnamed(_ folder: borrowing VMFolder) -> VMError {
    let name = folder.name
    return VMError(
      .refused,
      "a process of \(name) lives that none of its control blocks (\(blocksPlace(of: folder))) names: somebody removed "
        + "the newest, or this place has a boot id or a clock of its own, as a container; such a VM runs on, "
        + "`fsr status \(name)` asks it, and `fsr stop \(name)` ends it")
  }

  static func blocksPlace(of folder: borrowing VMFolder) -> String {
    (try? folder.directory.readLink(VMFolderNames.blocks)) ?? "\(folder.path)/\(VMFolderNames.blocks)"
  }
}
