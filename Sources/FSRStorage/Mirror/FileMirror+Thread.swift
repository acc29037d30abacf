internal import FSRSystem
internal import Synchronization

/// The mirror's thread: has chunks copied one after the other, and takes the ends of the copy's writes.
extension FileMirror {
  private static let bellToken = 0
  private static let copyToken = 1
  /// Nanoseconds after which what the copy's queue had no room for is tried again.
  private static let roomPause: UInt64 = 1_000_000

  /// Nanoseconds between two looks at whether the copy hangs.
  private static let hangLook: UInt64 = 1_000_000_000

  /// A chunk under way.
  private struct Moving {
    let work: ChunkCopy
    let isDone: OneWayFlag
    let blocks: Range<UInt64>
    let bytes: UInt64
  }

  func run() {
    var poller = Poller()
    poller.watch(bell.descriptor, token: Self.bellToken)
    poller.watch(ends.copy.event.value.descriptor, token: Self.copyToken)
    var moving: Moving?
    while true {
      takeCopyCompletions()
      if let current = moving, current.isDone.isUp {
        finish(current)
        moving = nil
      }
      giveUpIfItHangs(moving)
      if let current = moving, !isAlive { current.work.cancel() }
      extendCopy()
      if moving == nil { moving = beginNext() }
      if moving == nil, isOver, ends.copy.inFlight == 0 { break }
      let pause = timeout
      if (try? poller.wait(timeout: pause)) == nil { cancel() }
      _ = try? bell.clear()
    }
    ends.over()
    hasEnded.raise()
  }

  /// Makes the copy longer where that is due, on a thread of its own: a disk may take its time, or hang.
  private func extendCopy() {
    let end = state.withLock { state -> UInt64? in
      guard state.helper.isAlive, !state.isLongEnough, !state.isExtending else { return nil }
      state.isExtending = true
      return state.route.end
    }
    guard let end else { return }
    do throws(SystemError) {
      _ = try OSThread.start(name: "copier", detached: true) { [self] in
        do throws(CopyFailure) {
          try ends.extend(end)
          change { ($0.length, $0.isExtending) = (end, false) }
          ring()
        } catch { cancel(error) }
      }
    } catch { cancel(.copy(error)) }
  }

  /// The owner's writes must not wait for a disk that does not answer.
  private func giveUpIfItHangs(_ moving: Moving?) {
    let now = MonotonicClock.now()
    change { state in
      guard state.helper.isAlive, state.route.isHeldUp else {
        state.stall = nil
        return
      }
      let deeds = state.deedsOfCopy + (moving?.work.ended ?? 0)
      guard let stall = state.stall, stall.deeds == deeds else {
        state.stall = (now, deeds)
        return
      }
      if now - stall.since >= options.timeout {
        state.helper.take(.failed(.hangs(seconds: options.timeout / 1_000_000_000)))
      }
    }
  }

  private var timeout: UInt64? {
    state.withLock { state in
      if !state.unsent.isEmpty || ends.copy.isHeldUp { return Self.roomPause }
      guard state.helper.isAlive else { return nil }
      guard state.helper.state == .inProgress, state.route.chunk == nil else { return Self.hangLook }
      return min(Self.hangLook, state.pace.pause(at: MonotonicClock.now()))
    }
  }

  private func takeCopyCompletions() {
    let ended = ends.copy.completions()
    if ended.isEmpty, state.withLock({ $0.unsent.isEmpty }) { return }
    change { state in
      state.deedsOfCopy += ended.count
      for completion in ended {
        if let failure = completion.failure { state.helper.take(.failed(.copy(failure))) }
        state.route.copyEnded(completion.tag, &state.deeds)
      }
    }
  }

  /// Asks for the next chunk where it is time, and starts copying one that nobody writes any more.
  private func beginNext() -> Moving? {
    var isAtEnd = false
    if let part = partThatIsDue {
      change { state in
        guard state.helper.state == .inProgress else { return }
        if !state.route.advance(upTo: part, &state.deeds) {
          state.helper.take(.copied)
          isAtEnd = true
        }
      }
    }
    if isAtEnd { settle() }
    guard let blocks = state.withLock({ $0.helper.isAlive ? $0.toMove.take() : nil }) else { return nil }
    return move(blocks)
  }

  /// Blocks that the next part may have, where it is time for one. Those that hold nothing take no time, and do not count.
  private var partThatIsDue: UInt64? {
    let due = state.withLock { state -> (cursor: UInt64, end: UInt64, bytes: UInt64)? in
      guard state.helper.state == .inProgress, state.route.chunk == nil,
        state.pace.pause(at: MonotonicClock.now()) == 0
      else { return nil }
      let bytes = state.pace.part(upTo: options.chunk * PageTransfer.pageSize)
      return (state.route.cursor, state.route.end, bytes)
    }
    guard let (cursor, end, bytes) = due else { return nil }
    let range = cursor..<min(end, cursor + options.chunk)
    var left = bytes / PageTransfer.pageSize
    if left >= options.chunk { return options.chunk }
    for extent in ends.extents(range) {
      let count = extent.upperBound - extent.lowerBound
      if count >= left { return extent.lowerBound + left - cursor }
      left -= count
    }
    return range.upperBound - cursor
  }

  private func move(_ blocks: Range<UInt64>) -> Moving {
    // Looked at now: who writes there from here on waits, so what is not in use holds nothing that is needed.
    let extents = ends.extents(blocks)
    let page = PageTransfer.pageSize
    let isDone = OneWayFlag()
    let bytes = extents.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) * page }
    let work = ChunkCopy.start(ends.files, extents.map { $0.lowerBound * page..<$0.upperBound * page }) {
      isDone.raise()
      self.ring()
    }
    return Moving(work: work, isDone: isDone, blocks: blocks, bytes: bytes)
  }

  private func finish(_ moving: Moving) {
    change { state in
      if let failure = moving.work.failure { state.helper.take(.failed(failure)) }
      guard state.helper.isAlive else { return }
      state.deedsOfCopy += moving.work.ended
      state.copied += moving.bytes
      state.pace.copied(moving.bytes, at: MonotonicClock.now())
      state.route.moved(&state.deeds)
    }
  }

  /// Makes what was copied durable, so that a disk that fails is known of before anybody relies on it. On a thread of
  /// its own: the guest's writes end meanwhile.
  private func settle() {
    do throws(SystemError) {
      _ = try OSThread.start(name: "copier", detached: true) { [self] in
        do throws(SystemError) {
          try ends.files.copy.sync()
          change { $0.helper.take(.settled) }
        } catch { cancel(.copy(error)) }
      }
    } catch { cancel(.copy(error)) }
  }
}
