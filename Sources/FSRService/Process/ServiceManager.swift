internal import FSRHandoff
internal import FSRSystem

/// What the process tells the service manager that started its VM, where one did.
enum ServiceManager {
  /// How long a service manager may leave a source waiting, in nanoseconds.
  static let timeout: UInt64 = 30_000_000_000
  /// How long a source may take to say who comes after it, and to end, in nanoseconds.
  private static let sourceTimeout: UInt64 = 5_000_000_000
  /// How long it waits between two looks at a block, in nanoseconds.
  private static let pollInterval: UInt64 = 50_000_000

  /// Whether there is one.
  static var isThere: Bool { NotifySocket(environment: Environment.bytes) != nil }

  /// Returns once it has taken what it is told, or `isWanted` says no.
  static func tell(_ assignments: String..., log: ServiceLog, while isWanted: () -> Bool = { true }) {
    guard let manager = NotifySocket(environment: Environment.bytes) else { return }
    let words = assignments.joined(separator: ", ")
    do throws(SystemError) {
      try manager.tell(
        assignments, while: isWanted,
        onDelay: { log.warning("the service manager takes no messages; tried until it does: \(words)") })
    } catch { log.warning("the service manager was not told \(words): \(error)") }
  }

  /// Tells it that this process is the service's main one, once `block` says that the guest is here, and the source does
  /// not say so: because it hangs.
  ///
  /// Of one that was killed the manager has seen the end, and ends the service, though not before a reload that is under
  /// way has ended: this process, were it the main one by then, would be ended with it. Where it is none the service is
  /// started again, and takes it up.
  static func tellOnceHere(_ block: ControlBlock, log: ServiceLog) {
    guard isThere else { return }
    let told = try? OSThread.start(name: "manager", detached: true) {
      while true {
        let state = block.state
        switch state {
        case .destination:
          guard sourceStays(block) else { return }
          return tell(
            "MAINPID=\(ProcessIdentity.current().pid)", log: log, while: { mayHaveSource(block) })
        case .resumed, .successor: return
        case .none, .destVerify, .source: block.wait(while: state, timeout: pollInterval)
        }
      }
    }
    if told == nil { log.warning("no thread is left for telling the service manager") }
  }

  /// Whether the source lives on, though it has lost.
  private static func sourceStays(_ block: ControlBlock) -> Bool {
    let deadline = MonotonicClock.now() + sourceTimeout
    while mayHaveSource(block) {
      if MonotonicClock.now() >= deadline { return true }
      MonotonicClock.sleep(pollInterval)
    }
    return false
  }

  /// Whether the source may live by whose end the manager goes; a successor's block names none.
  private static func mayHaveSource(_ block: ControlBlock) -> Bool {
    switch block.life(of: .source) {
    case .lives, .unknown: true
    case .gone, nil: false
    }
  }
}
