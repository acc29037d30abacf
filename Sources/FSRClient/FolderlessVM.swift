internal import FSRHandoff
public import FSRHost
internal import FSRSystem

/// A VM that runs though somebody has removed its folder, by which alone others know it: among the processes it is found all
/// the same, by what its VMM still has open.
public struct FolderlessVM: Sendable {
  public let name: String
  private let identity: ProcessIdentity
  private let folder: String

  /// How long a VMM may take to its end that has removed its folder itself, in nanoseconds, for whoever wants to know of it,
  /// and for whoever wants its name.
  private static let ending: UInt64 = 500_000_000
  private static let endingOfName: UInt64 = 5_000_000_000
  private static let pollInterval: UInt64 = 10_000_000
  /// How long one that is told to end may take, in nanoseconds.
  private static let endLimit: UInt64 = 5_000_000_000
  private static let removedMark = " (deleted)"

  /// Those whose folder was in `runtime`, of the VM `name` where that is given; in the order of their names.
  public static func all(in runtime: borrowing RuntimeDirectory, named name: String? = nil) -> [FolderlessVM]
  {
    all(in: runtime, named: name, after: ending)
  }

  /// - Parameter patience: how long they may take to their end, in nanoseconds.
  private static func all(
    in runtime: borrowing RuntimeDirectory, named name: String?, after patience: UInt64
  ) -> [FolderlessVM] {
    guard let path = try? runtime.directory.path() else { return [] }
    let deadline = MonotonicClock.now() + patience
    while true {
      let found = now(in: path, named: name)
      if found.isEmpty || MonotonicClock.now() >= deadline { return found }
      _ = try? Poller().wait(timeout: pollInterval)
    }
  }

  private static func now(in runtime: String, named name: String?) -> [FolderlessVM] {
    let processes = ProcessSearch.processes { arguments in
      guard let found = VMMArguments.name(in: arguments) else { return false }
      return name == nil || name == found
    }
    let found = processes.compactMap { process -> FolderlessVM? in
      guard let name = VMMArguments.name(in: process.arguments) else { return nil }
      let folder = "\(runtime)/\(name)"
      guard ProcessSearch.openPaths(of: process.identity.pid).contains(folder + removedMark) else {
        return nil
      }
      return FolderlessVM(name: name, identity: process.identity, folder: folder)
    }
    return found.sorted { ($0.name, $0.identity.pid) < ($1.name, $1.identity.pid) }
  }

  /// What there is to say of it, whatever it was asked for.
  public var error: VMError {
    VMError(
      .refused,
      "\(name) runs as process \(identity.pid), and somebody has removed its folder \(folder): it can be asked nothing, and "
        + "not be handed over; shut the guest down, or end it with `fsr stop \(name)`")
  }

  /// - Throws: `VMError` `refused` where the name is one's that runs without its folder.
  static func checkIsNone(_ name: String, in runtime: borrowing RuntimeDirectory) throws(VMError) {
    guard let other = all(in: runtime, named: name, after: endingOfName).first else { return }
    throw VMError(.refused, "the name \(name) is in use: \(other.error.description)")
  }

  /// Ends those of the name `name`; false where there are none.
  ///
  /// - Throws: `VMError` where one cannot be ended.
  public static func stop(_ name: String, in runtime: borrowing RuntimeDirectory) throws(VMError) -> Bool {
    let found = all(in: runtime, named: name)
    for vm in found { try vm.end(in: runtime) }
    return !found.isEmpty
  }

  private func end(in runtime: borrowing RuntimeDirectory) throws(VMError) {
    let blocks = ProcessSearch.openPaths(of: identity.pid).compactMap(VMFolder.blocksElsewhere)
    guard let process = (try? ProcessDescriptor.open(identity)) ?? nil else { return }
    do throws(HandoffError) {
      try EndingRight.check(process, identity, in: runtime.directory, of: name)
    } catch {
      throw VMError(.refused, error.description)
    }
    // In order it removes what it has elsewhere. One that a signal has stopped cannot.
    _ = try? process.signal(SignalNumber.terminate)
    if identity.isStopped || (try? process.waitForExit(timeout: Self.endLimit)) != true {
      _ = try? process.signal(SignalNumber.kill)
      guard (try? process.waitForExit(timeout: Self.endLimit)) == true else {
        throw VMClient.survivor(identity, of: name)
      }
    }
    for place in blocks { VMFolder.removeBlocks(elsewhere: place) }
  }
}
