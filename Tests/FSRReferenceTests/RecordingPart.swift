import FSRHandoff
import FSRHost
import FSRReference
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// What parts of a guest were asked for, in its order, as `part.call`.
final class PartRecord: Sendable {
  private struct State {
    var calls: [String] = []
    var failing: String?
  }

  private let state = Mutex(State())

  /// What was noted since the last look.
  func take() -> [String] {
    state.withLock { state in
      defer { state.calls = [] }
      return state.calls
    }
  }

  /// Has one call fail, or answer no, from now on; none where nil.
  func fail(_ call: String?) { state.withLock { $0.failing = call } }

  /// Answers whether it is to succeed.
  func note(_ call: String) -> Bool {
    state.withLock { state in
      state.calls.append(call)
      return state.failing != call
    }
  }
}

/// A part that only works beside the guest.
final class RecordingRunner: RunningPart {
  private let name: String
  private let record: PartRecord

  init(_ name: String, _ record: PartRecord) {
    self.name = name
    self.record = record
  }

  var lossWithoutIt: String { "\(name) stands still" }

  func start() throws {
    if !record.note("\(name).start") { throw Unexpected("no thread") }
  }

  func rest() { _ = record.note("\(name).rest") }
  func stop() { _ = record.note("\(name).stop") }
}

/// A part with every role, whose state is one byte.
final class RecordingPart {
  let name: String
  private let record: PartRecord
  let progress: Precopy
  let value = Mutex<UInt8>(0)

  init(_ name: String, _ record: PartRecord, progress: Precopy = Precopy(.standing)) {
    self.name = name
    self.record = record
    self.progress = progress
  }

  private func note(_ call: String) -> Bool { record.note("\(name).\(call)") }

  private func attempt(_ call: String) throws {
    if !note(call) { throw Unexpected(call) }
  }
}

extension RecordingPart: DescribedPart, CarriedPart, FileWritingPart {
  func describe(into description: inout GuestDescription) throws {
    try attempt("describe")
    description.manifest.slots.append(name)
  }

  static var readableSections: [SectionVersion] { [SectionVersion(name: "part", version: 1)] }
  var names: [String] { [name, "\(name).absent"] }
  var sections: [SectionVersion] { [SectionVersion(name: name, version: 1)] }

  func save(to checkpoint: inout CheckpointWriter) {
    _ = note("save")
    checkpoint.section(name, version: 1) { writer in writer.write(value.withLock { $0 }) }
  }

  func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws {
    try attempt(isRehearsal ? "loadInRehearsal" : "load")
    var reader = ByteReader(try checkpoint.section(name).payload)
    let read = try reader.read(UInt8.self)
    value.withLock { $0 = read }
  }

  func writtenFiles(into bag: inout DescriptorBag) throws { try attempt("writtenFiles") }
}

extension RecordingPart: DrainingPart, AnsweringPart, ArrivingPart, EndingPart {
  var lossWithoutIt: String { "\(name) stands still" }
  func start() throws { try attempt("start") }
  func rest() { _ = note("rest") }
  func stop() { _ = note("stop") }
  func drain() throws { try attempt("drain") }

  func quiesce() throws { try attempt("quiesce") }
  func freeze() throws { try attempt("freeze") }
  func thaw() { _ = note("thaw") }
  func begin() { _ = note("begin") }
  func giveUp() { _ = note("giveUp") }

  func park() throws { try attempt("park") }
  func arrived() { _ = note("arrived") }
  func leave() { _ = note("leave") }

  func end(in folder: borrowing VMFolder) { _ = note("end") }
}

extension RecordingPart: CopyingPart, OwnedStorage {
  func isCopied(by plan: HandoffPlan) -> Bool { plan.swap != .shared }
  var copySections: [SectionVersion] { [SectionVersion(name: "\(name)-copied", version: 1)] }

  func precopy() throws -> Precopy {
    try attempt("precopy")
    return progress
  }

  func settleCopy(deadline: UInt64) throws { try attempt("settleCopy") }
  func finishCopy() throws { try attempt("finishCopy") }
  func saveCopy(to checkpoint: inout CheckpointWriter) { _ = note("saveCopy") }
  func cancelCopy() { _ = note("cancelCopy") }

  func release() { _ = note("release") }
  func reacquire() -> Bool { note("reacquire") }
  func rehearse() { _ = note("rehearse") }
  func take() -> Bool { note("take") }
  func close() { _ = note("close") }
}
