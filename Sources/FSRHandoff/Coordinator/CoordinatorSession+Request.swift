internal import FSRState
internal import FSRSystem

/// Asking the source, and taking copies of what it sends.
extension CoordinatorSession {
  mutating func request() throws -> Turn {
    guard let block else { preconditionFailure("a block was made") }
    switch phase {
    case .failing(let error, let until):
      // One that hangs up without a word is about to be gone.
      if let process = peers.source?.process, !process.hasExited, now() < until {
        var wait = Wait(until: until)
        wait.processes = [process]
        return .waits(wait)
      }
      return try withdraw(block, after: error, asked: nil)
    case .withdrawn(let failure, let asked, let until):
      if now() < until, (try? asked.value.isReadable()) == false { return pause(limits.pollInterval) }
      return try giveUp(failure)
    default:
      do { return try ask(block) } catch {
        var asked: Owned<HandoffLink>?
        if case .asking(let link, _) = phase { asked = link }
        let standstill = standstill(after: error, block)
        if case HandoffError.peerGone(.source) = standstill ?? error {
          phase = .failing(error, until: now() + limits.reap)
          return try request()
        }
        return try withdraw(block, after: standstill ?? error, isStandstill: standstill != nil, asked: asked)
      }
    }
  }

  /// Why nothing came of a request that nobody took up.
  struct RequestFailure {
    let error: any Error
    /// Why somebody called it off before that.
    let abort: Reason?
    let why: Reason
  }

  /// A source that takes the request later finds the word moved and no draft to publish, and leaves it at that. One that
  /// has published calls the handoff off, and is watched doing so.
  private mutating func withdraw(
    _ block: ControlBlock, after error: any Error, isStandstill: Bool = false, asked: Owned<HandoffLink>?
  )
    throws -> Turn
  {
    // Said first: a source that finds the word moved tells why.
    let isAborted = block.state == .source
    let abort = isAborted ? block.reason(of: .coordinator) : nil
    if !isAborted { block.explain(.coordinator, isCancelled() ? interrupted : Reason(of: error)) }
    _ = block.claim(.source, by: .coordinator)
    var why = Reason(of: error)
    if abort == nil, !isStandstill, isLate(block) {
      why = Reason(why.what, remedy: why.remedy, code: .deadline)
    }
    if blocks.removeDraft(of: block) {
      let failure = RequestFailure(error: error, abort: abort, why: why)
      guard let asked else { return try giveUp(failure) }
      // A source that was asked and has not answered may just be getting ready: what it has made for that is gone when
      // it says no.
      phase = .withdrawn(failure, asked: asked, until: now() + limits.reap)
      return try request()
    }
    verdict.reason = reason ?? abort ?? why
    return .event(.done)
  }

  private mutating func giveUp(_ failure: RequestFailure) throws -> Turn {
    guard let abort = failure.abort, peers.source?.isGone == false else {
      verdict.reason = reason ?? failure.why
      throw failure.error
    }
    verdict.reason = abort
    return .event(.found(.source))
  }

  /// A source that a signal has stopped meanwhile is told by name, and one that does not answer in all the time that it has.
  private func standstill(after error: any Error, _ block: ControlBlock) -> HandoffError? {
    guard case HandoffError.deadline = error, let source = block.identity(of: .source),
      world.isStopped(source) || !isLate(block)
    else {
      return nil
    }
    return .refused(standsStill(source))
  }

  /// Connects, asks, and takes the answer.
  private mutating func ask(_ block: ControlBlock) throws -> Turn {
    guard case .asking(let link, let until) = phase else {
      if case .until = phase {} else { phase = .until(now() + limits.answer) }
      guard case .until(let deadline) = phase, let socket = try connect(by: deadline) else {
        return pause(limits.pollInterval)
      }
      let link = Owned(try HandoffLink(socket))
      var introduction = DescriptorBag()
      introduction.append(try block.descriptor.duplicate())
      let request = HandoffRequest(
        executable: options.executable, fault: options.fault, plan: options.plan)
      try Self.send(.request(request), introduction, on: link.value, speaking: block.version(of: .source))
      phase = .asking(link, until: min(patience.deadline, now() + limits.answer))
      return try ask(block)
    }
    guard try link.value.isReadable() else {
      if isCancelled() || block.state != .none && blocks.isDraft(block) { throw HandoffError.aborted }
      if now() >= until { throw HandoffError.deadline("the source's answer") }
      var wait = Wait(until: now() + limits.pollInterval)
      wait.links = [link]
      return .waits(wait)
    }
    let arrival = try link.value.receive(timeout: 0, from: "source")?.message
    phase = .begun
    switch arrival {
    case .accepted:
      holdings.channel = link
      return .event(.done)
    case .refused(let why): throw HandoffError.refused(why)
    case .none: throw HandoffError.peerGone(.source)
    case .some(let other): throw HandoffError.protocolViolation("\(other.name) where accepted is due")
    }
  }

  /// Nil where others wait there, and `deadline` has not passed.
  private func connect(by deadline: UInt64) throws -> UnixSocket? {
    do throws(SystemError) {
      return try world.connect(in: folder, timeout: 0)
    } catch {
      if error.isTimeout, now() < deadline { return nil }
      if error.isMissing, error.subject == VMFiles.socket { throw HandoffError.socketIsGone(of: name) }
      guard error.isRefused else { throw error }
      throw HandoffError.refused(
        Reason("nobody listens at the control socket of \(name)", remedy: "see `fsr status \(name)`"))
    }
  }

  /// A source that can serve nobody has hung up already, and said before that why.
  private static func send(
    _ message: Message, _ descriptors: borrowing DescriptorBag, on link: borrowing HandoffLink,
    speaking version: UInt16
  ) throws(HandoffError) {
    do throws(HandoffError) { try link.send(message, descriptors: descriptors, speaking: version) } catch {
      if case .system(let failure) = error, failure.isBrokenPipe { return }
      throw error
    }
  }

  mutating func takeCopies() throws -> Turn {
    guard let block, let channel = holdings.channel else { return .event(.failed) }
    guard try channel.value.isReadable() else {
      if block.state != .none || isCancelled() || isLate(block) { return .event(.failed) }
      var wait = Wait(until: now() + limits.pollInterval * 5)
      wait.links = [channel]
      return .waits(wait)
    }
    guard var arrival = try channel.value.receive(timeout: 0, from: "source") else { return .event(.failed) }
    guard case .manifest = arrival.message else {
      if case .refused(let why) = arrival.message { verdict.reason = why }
      return .event(.failed)
    }
    let taken = Owned(try HeldDescriptors(arrival.descriptors.takeAll()))
    block.holdDescriptors(.coordinator, numbers: taken.value.numbers)
    holdings.copies = taken
    return .event(.done)
  }

  mutating func acknowledge() throws -> Turn {
    // A source that has hung up says in the block why.
    do { try holdings.channel?.value.send(.holding) } catch { return .event(.failed) }
    return .event(.done)
  }
}
