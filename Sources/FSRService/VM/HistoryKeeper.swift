internal import FSRHandoff
internal import FSRHost
internal import FSRSystem
internal import Synchronization

/// Writes down what befalls the guest in this process.
final class HistoryKeeper: Sendable {
  private let folder: Owned<VMFolder>
  private let ownership: Ownership
  private let build: String
  private let log: ServiceLog
  let resets = ResetTally()
  /// Held by whoever tells of resets: what one has taken out of the tally is in the history before another looks.
  private let telling = Mutex(())

  init(in folder: Owned<VMFolder>, of ownership: Ownership, build: String, log: ServiceLog) {
    self.folder = folder
    self.ownership = ownership
    self.build = build
    self.log = log
  }

  func append(_ record: HistoryRecord) {
    do { try record.append(in: folder.value) } catch { log.error("cannot write the history: \(error)") }
  }

  /// Something that befell the guest here without a handoff.
  func append(_ event: String, because reason: String) {
    var record = HistoryRecord(id: "\(ownership.newest.machine)", event: event)
    record.fromBuild = build
    record.fromExecutable = try? Executable.path()
    record.generation = ownership.generation
    record.reason = reason
    append(record)
  }

  /// Writes down what `take` takes out of the tally, if that is anything.
  private func tellResets(_ take: () -> String?) {
    telling.withLock { _ in
      guard let count = take() else { return }
      log.notice("the guest was reset: \(count)")
      append("reset", because: count)
    }
  }

  /// Tells of resets, if it is time.
  func tellDueResets() { tellResets { resets.due(at: MonotonicClock.now()) } }

  /// Tells of all resets of before.
  func tellAllResets() { tellResets { resets.rest(at: MonotonicClock.now()) } }
}
