/// The states of a file's being copied to another while it is written: an event in, the next state out.
///
/// ```
/// starting ─▶ inProgress ─▶ done ─▶ sleeping ─▶ stunning ─▶ exited (copied)
///     └────────────┴──────────┴───────┴───────────┴──▶ failed ─▶ exited (not copied)
/// ```
public struct CopyHelper: Hashable, Sendable {
  public enum State: String, CaseIterable, Hashable, Sendable {
    /// Writes are held until those of before have ended.
    case starting
    /// Blocks are copied behind a cursor.
    case inProgress
    /// All blocks are copied, and are made durable.
    case done
    /// Both files are the same, and stay so.
    case sleeping
    /// The owner is stopped for good; what is in flight ends.
    case stunning
    /// The copy is given up: what is in flight ends as soon as the original has it.
    case failed
    /// No write is in flight, and the mirror is off.
    case exited
  }

  public enum Event: Hashable, Sendable {
    /// Writes of before the mirror have ended.
    case stands
    /// The cursor is at the end.
    case copied
    /// What was copied is durable.
    case settled
    /// The owner writes nothing any more, and the copy is to be taken.
    case wake
    /// Nothing is in flight.
    case drained
    /// A file failed, or somebody wants no copy any more.
    case failed(CopyFailure)
  }

  public private(set) var state = State.starting
  /// Why it is not copied; the first reason counts.
  public private(set) var failure: CopyFailure?

  public init() {}

  /// Whether the copy may be taken.
  public var isCopied: Bool { state == .exited && failure == nil }

  /// Whether writes may still go to the copy.
  public var isAlive: Bool {
    switch state {
    case .starting, .inProgress, .done, .sleeping, .stunning: true
    case .failed, .exited: false
    }
  }

  /// Takes an event. One that came too late, or that says nothing in this state, changes nothing.
  public mutating func take(_ event: Event) {
    switch (state, event) {
    case (.starting, .stands): state = .inProgress
    case (.inProgress, .copied): state = .done
    case (.done, .settled): state = .sleeping
    case (.sleeping, .wake): state = .stunning
    case (.stunning, .drained), (.failed, .drained): state = .exited
    // Who wakes it elsewhere would take half a copy.
    case (.starting, .wake), (.inProgress, .wake), (.done, .wake): fail(.wokenEarly)
    case (.starting, .failed(let failure)), (.inProgress, .failed(let failure)),
      (.done, .failed(let failure)), (.sleeping, .failed(let failure)), (.stunning, .failed(let failure)):
      fail(failure)
    case (.starting, .copied), (.starting, .settled), (.starting, .drained): break
    case (.inProgress, .stands), (.inProgress, .settled), (.inProgress, .drained): break
    case (.done, .stands), (.done, .copied), (.done, .drained): break
    case (.sleeping, .stands), (.sleeping, .copied), (.sleeping, .settled), (.sleeping, .drained): break
    case (.stunning, .stands), (.stunning, .copied), (.stunning, .settled), (.stunning, .wake): break
    case (.failed, .stands), (.failed, .copied), (.failed, .settled), (.failed, .wake), (.failed, .failed):
      break
    case (.exited, .stands), (.exited, .copied), (.exited, .settled), (.exited, .wake), (.exited, .drained),
      (.exited, .failed):
      break
    }
  }

  private mutating func fail(_ failure: CopyFailure) {
    self.failure = failure
    state = .failed
  }
}
