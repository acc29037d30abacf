public import FSRHost
internal import FSRSystem

extension VMClient {
  /// How long a handoff in the way is waited for, in nanoseconds, and how long between two tries.
  private static let pauseLimit: UInt64 = 10_000_000_000
  private static let pauseLook: UInt64 = 5_000_000

  /// Stops the guest's vCPUs until `resume`, handoffs included; returns when they stand.
  ///
  /// - Throws: `VMError`; the guest runs on then.
  public static func pause(_ folder: borrowing VMFolder) throws(VMError) { try ask(.pause, of: folder) }

  /// Lets a paused guest run; nothing happens to one that runs.
  public static func resume(_ folder: borrowing VMFolder) throws(VMError) { try ask(.resume, of: folder) }

  private static func ask(_ request: ControlVerb, of folder: borrowing VMFolder) throws(VMError) {
    let deadline = MonotonicClock.now() + pauseLimit
    while true {
      let bytes = try answer(to: request, of: folder)
      switch bytes.flatMap({ PauseAnswer($0) }) {
      case .done: return
      case .ended: try explain(folder)
      case nil:
        if let refusal = bytes.flatMap({ refusal($0, of: folder) }) { throw refusal }
        try explain(folder)
      case .late: throw VMError(.other, "the vCPUs of \(folder.name) did not stop in time; they run on")
      case .inHandoff: break
      }
      guard MonotonicClock.now() < deadline else {
        throw VMError(
          .other, "\(folder.name) does not answer, or is being handed over for long; try again")
      }
      MonotonicClock.sleep(pauseLook)
    }
  }

  /// Throws where it is of no use to ask again.
  private static func explain(_ folder: borrowing VMFolder) throws(VMError) {
    let name = folder.name
    try checkIsNotStopped(folder)
    let status = try status(of: folder)
    if status.state == .lost {
      throw loss(of: folder)
    }
    try checkSocketIsThere(folder)
    if status.state == .stunned, case .nobody = try ownership(of: folder) {
      throw VMError(.stunned, "nobody runs \(name); `fsr recover \(name)` brings it back")
    }
  }
}
