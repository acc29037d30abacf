public import FSRHost
internal import FSRMachine
internal import FSRMemory
public import FSRService
public import FSRState
public import FSRSystem

/// What the reference VMM can do beyond being handed over.
extension ReferenceVM: PausableVM, ConsoleVM, FileWritingVM, RestartingVM, GapMeasuringVM {
  /// How long the reader of the console may take nothing while the last words of a guest wait, in nanoseconds.
  private static let lastWords: UInt64 = 5_000_000_000

  public var isPaused: Bool { guest.threads.isPaused }

  public func pause(limit: UInt64) -> PauseAnswer {
    // Paused since a page cannot be brought in it stands, but for vCPUs that wait for the page: they execute nothing until
    // somebody resumes it.
    var answer = guest.threads.pause(limit: missingPage.isThere ? 0 : limit)
    if answer == .late, missingPage.isThere { answer = .done }
    if answer == .done { guest.console.isPaused = true }
    return answer
  }

  public func unpause() -> PauseAnswer {
    let answer = missingPage.clear { guest.threads.unpause() }
    if answer == .done {
      guest.paging?.pager.guestWasResumed()
      guest.console.isPaused = false
    }
    return answer
  }

  public func consoleMemory() throws -> OwnedDescriptor { try guest.console.descriptor.duplicate() }

  public func finishConsole(_ end: GuestEnd, while isWanted: () -> Bool) {
    guest.drain.finish(timeout: Self.lastWords, while: isWanted)
    guest.console.end = end
  }

  public func writtenFiles() throws -> DescriptorBag { try parts.writtenFiles() }

  /// A page that nobody brings in is waited for in vain.
  public var canRestart: Bool { guest.canRestart && !missingPage.isThere }

  public func restart(limit: UInt64, if isWanted: () -> Bool) -> RestartOutcome {
    let outcome = guest.threads.restart(limit: limit) {
      do { try guest.restart() } catch {
        context.log.error("the guest cannot be started anew: \(error)")
        return false
      }
      return isWanted()
    }
    return switch outcome {
    case .done: .done
    case .late: .late
    case .failed: .failed
    }
  }

  /// A guest that is paused sees no time.
  public func measureGap() -> UInt64? {
    guest.threads.isPaused
      ? nil : GuestGap.measure(in: guest.machine, window: SoakParameters.currentWindow(in: guest.machine))
  }
}
