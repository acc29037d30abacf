public import FSRHandoff
package import FSRSystem
internal import Synchronization

/// What every process of a VM holds for as long as it lives, and what others see it by.
///
/// A lock on the VM's folder, through an opening of its own that no other process is given: the kernel gives it back
/// with the process's end and not before, and shows it to whoever can open the folder, in every PID namespace, with
/// whatever /proc, and when the control blocks or the socket are gone. Beside it a lock of the kind that cleaners of
/// old files respect (systemd-tmpfiles), on the folder, the one that it lies in, and that of the control blocks.
package final class VMPresence: Sendable {
  /// The byte of the folder that is locked; a folder has none, and needs none.
  private static let place: UInt64 = 0
  /// How long a look waits for a socket whose queue is full, in nanoseconds.
  private static let timeout: UInt64 = 20_000_000

  private let folder: Directory
  /// Directories that cleaners are to leave alone, besides.
  private let kept = Mutex<[Owned<OwnedDescriptor>]>([])

  /// Says that a process of the VM in `folder` lives, until this object goes. Where the file system knows no such locks
  /// nothing is said.
  ///
  /// - Throws: `SystemError` where this process has no room for it.
  package init(in folder: borrowing VMFolder) throws(SystemError) {
    self.folder = try folder.directory.reopened()
    do throws(SystemError) { _ = try self.folder.descriptor.tryLock(byte: Self.place, .shared) } catch {
      if error.isOwnShortage { throw error }
    }
    _ = try? self.folder.descriptor.tryShareWithCleaners()
    do throws(SystemError) { keep(try folder.directory.parent()) } catch {
      if error.isOwnShortage { throw error }
    }
  }

  // Said, and not left to the closing: a process that another thread spawns at this moment has a duplicate of the
  // descriptor until it executes its program, and the lock with it.
  deinit { try? folder.descriptor.unlock(byte: Self.place) }

  /// Has cleaners leave the control blocks alone, once they are there.
  ///
  /// - Throws: `SystemError` where this process has no room for it.
  package func keepBlocks(of folder: borrowing VMFolder) throws(SystemError) {
    do throws(SystemError) {
      keep(try Directory.open(VMFolderNames.blocks, in: folder.directory, followingLinks: true))
    } catch {
      if error.isOwnShortage { throw error }
    }
  }

  private func keep(_ directory: consuming Directory) {
    // A cleaner that is at work there just now is not waited for.
    _ = try? directory.descriptor.tryShareWithCleaners()
    let descriptor = Owned(directory.release())
    kept.withLock { $0.append(descriptor) }
  }

  /// What can be seen of a VM without its control blocks.
  package enum Sight {
    case lives
    /// No process holds it, and its control socket is nobody's.
    case gone
    /// No process holds it, and there is no socket: one of a build that holds nothing may live.
    case nothing
    case unknown(SystemError)
  }

  /// Whether a process of the VM holds the folder.
  package static func isHeld(_ folder: borrowing VMFolder) throws(SystemError) -> Bool {
    try folder.directory.descriptor.isLockedElsewhere(byte: place)
  }

  package static func look(at folder: borrowing VMFolder) -> Sight {
    do throws(SystemError) {
      if try isHeld(folder) { return .lives }
      return try lookAtSocket(in: folder.directory)
    } catch { return .unknown(error) }
  }

  private static func lookAtSocket(in folder: borrowing Directory) throws(SystemError) -> Sight {
    do throws(SystemError) {
      _ = try UnixSocket.connect(in: folder, name: VMFiles.socket, timeout: timeout)
      return .lives
    } catch {
      if error.isRefused { return .gone }
      // Its queue is full.
      if error.isTimeout { return .lives }
      if error.isMissing, error.subject == VMFiles.socket { return .nothing }
      throw error
    }
  }
}

extension VMFolder {
  /// Whether a VM was started here since the host's boot, whose control blocks are gone though their folder is there:
  /// who ends a VM in order removes that too, and a boot does.
  package var hasLostItsBlocks: Bool {
    guard machineInMark != nil, let blocks = (try? blocks()) ?? nil else { return false }
    return (try? blocks.attempts())?.isEmpty == true
  }

  /// Whether there is nothing by the name of the control socket.
  package var hasLostItsSocket: Bool {
    do throws(SystemError) { return try directory.kind(of: VMFiles.socket) == nil } catch { return false }
  }

  /// Whether any process of the VM lives.
  ///
  /// What it holds proves it, and so does its socket; what the control blocks say of processes counts where neither is
  /// there, and only where their numbers mean something here.
  public func look() -> LifeSign { look(skippingSpoilt: false) }

  /// The same, where all whom a spoilt block names, and all who have the folder open, were seen to be gone: what such a
  /// block says no more keeps nobody from the conclusion.
  package func lookPastSpoiltBlocks() -> LifeSign { look(skippingSpoilt: true) }

  private func look(skippingSpoilt: Bool) -> LifeSign {
    switch VMPresence.look(at: self) {
    case .lives: return .lives
    case .gone: return .gone
    case .nothing: return lookAtParties(skippingSpoilt: skippingSpoilt)
    case .unknown(let error): return .unknown(error.reason)
    }
  }

  private func lookAtParties(skippingSpoilt: Bool) -> LifeSign {
    do {
      guard let blocks = try blocks() else { return .gone }
      var doubt: LifeSign?
      for attempt in try blocks.attempts() {
        let opened: ControlBlock?
        do throws(HandoffError) { opened = try blocks.open(attempt) } catch {
          guard skippingSpoilt, case .badBlock = error else { throw error }
          continue
        }
        guard let block = opened else { continue }
        for party in Party.allCases {
          let sign = block.life(of: party)
          switch sign {
          case .lives: return .lives
          case .unknown: doubt = sign
          case .gone, nil: break
          }
        }
      }
      return doubt ?? .gone
    } catch { return .unknown(Reason(of: error)) }
  }
}
