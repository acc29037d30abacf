import FSRStorage

/// All that can happen next in a world, and what holds in every one.
extension MirrorModel {
  enum Step: Hashable {
    // The kernel's, and the mirror's thread's: they come by themselves.
    case end(Flight)
    case claim, look
    case read(UInt64)
    case write(UInt64)
    case finish, settle, answer, over
    // What may come of them instead.
    case failEnd(Flight)
    case failRead, failWrite, failSettle
    // The guest's, and others'.
    case submit(Range<UInt64>)
    case allocate(UInt64)
    case free(UInt64)
    case grow, failGrow, useGrown, cancel, wake
  }

  /// What comes by itself.
  func ownSteps() -> [Step] {
    var steps = flights.map(Step.end)
    if let moving {
      if helper.isAlive, moving.failure == nil {
        steps += Self.blocks(moving.unread).map(Step.read) + Self.blocks(moving.unwritten).map(Step.write)
      }
      // One that was called off stops somewhere.
      if moving.unread | moving.unwritten == 0 || moving.failure != nil || !helper.isAlive {
        steps.append(.finish)
      }
    } else if helper.state == .inProgress, route.chunk == nil {
      steps.append(.claim)
    } else if toMove != nil {
      steps.append(.look)
    } else if helper.state == .done {
      steps.append(.settle)
    } else if helper.state == .exited, !isOver, !flights.contains(where: { $0.file == .copy }) {
      steps.append(.over)
    }
    if isAsked { steps.append(.answer) }
    if isGrowing { steps.append(.useGrown) }
    return steps
  }

  private static func blocks(_ mask: UInt8) -> [UInt64] { (0..<8).filter { mask >> $0 & 1 == 1 } }

  func steps(_ bounds: Bounds) -> [Step] { ownSteps() + failing(bounds) + guest(bounds) }

  private func failing(_ bounds: Bounds) -> [Step] {
    if failures >= bounds.failures { return [] }
    var steps = flights.map(Step.failEnd)
    if let moving, helper.isAlive, moving.failure == nil {
      if moving.unread != 0 { steps.append(.failRead) }
      if moving.unwritten != 0 { steps.append(.failWrite) }
    }
    if moving == nil, helper.state == .done { steps.append(.failSettle) }
    return steps
  }

  private func guest(_ bounds: Bounds) -> [Step] {
    var steps: [Step] = []
    if bounds.isCancelled, helper.isAlive { steps.append(.cancel) }
    if isAsked || isTaken { return steps }
    // One who writes until then is stopped before: that he does not go on writing is the same.
    if bounds.isWoken, helper.state != .exited { steps.append(.wake) }
    if nextID < UInt64(bounds.writes) + (bounds.hasEarlierWrite ? 1 : 0) {
      for first in 0..<count {
        for end in first + 1...min(first + 2, count) where (first..<end).allSatisfy(isUsed) {
          if mayWrite(first..<end) { steps.append(.submit(first..<end)) }
        }
      }
    }
    for block in 0..<count {
      if !isUsed(block), allocations < bounds.allocations { steps.append(.allocate(block)) }
      if isUsed(block), frees < bounds.frees, !writes.contains(where: { $0.blocks.contains(block) }) {
        steps.append(.free(block))
      }
    }
    if !isGrowing, count < bounds.blocks + bounds.growths {
      steps.append(.grow)
      if failures < bounds.failures, helper.isAlive { steps.append(.failGrow) }
    }
    return steps
  }

  /// Writes that overlap are put in order by the mirror; past it, their owner has no two.
  private func mayWrite(_ blocks: Range<UInt64>) -> Bool {
    helper.isAlive && !flights.contains(where: \.isPlain)
      || !writes.contains { $0.blocks.overlaps(blocks) }
  }

  func after(_ step: Step, _ bounds: Bounds) -> MirrorModel {
    var next = self
    next.room = bounds.room
    next.take(step, bounds)
    return next
  }

  private mutating func take(_ step: Step, _ bounds: Bounds) {
    switch step {
    case .end(let flight): ended(flight, nil)
    case .failEnd(let flight):
      failures += 1
      ended(flight, flight.file == .original ? .original(Self.failure) : .copy(Self.failure))
    case .claim, .look, .read, .write, .finish, .failRead, .failWrite: move(step, bounds)
    case .settle: change { $0.helper.take(.settled) }
    case .failSettle:
      failures += 1
      cancel(.copy(Self.failure))
    case .answer:
      isAsked = false
      if helper.isCopied { isTaken = true } else { cancel(.wokenEarly) }
    case .over: isOver = true
    case .submit(let blocks): submit(blocks, isPlain: !helper.isAlive)
    case .allocate(let block):
      allocations += 1
      used |= 1 << block
    case .free(let block):
      frees += 1
      used &= ~(1 << block)
      reference[Int(block)] = 0
    case .grow, .failGrow: grow(fails: step == .failGrow)
    case .useGrown:
      isGrowing = false
      count += 1
    case .cancel: cancel(.cancelled)
    case .wake:
      isAsked = true
      change { $0.helper.take(.wake) }
    }
  }

  /// The file is longer already; the copy is made so, and only then does anybody take the new block.
  private mutating func grow(fails: Bool) {
    isGrowing = true
    guard helper.isAlive else { return }
    if fails {
      failures += 1
      return cancel(.copy(Self.failure))
    }
    copyEnd = count + 1
    let end = copyEnd
    change { $0.route.grow(to: end) }
  }

  private mutating func move(_ step: Step, _ bounds: Bounds) {
    switch step {
    case .claim:
      change { if !$0.route.advance(upTo: bounds.chunk, &$0.deeds) { $0.helper.take(.copied) } }
    case .look:
      guard let blocks = toMove.take() else { return }
      let mask = blocks.reduce(UInt8(0)) { $0 | ($1 < count && isUsed($1) ? 1 << $1 : 0) }
      if blocks.upperBound > copyEnd { fail("blocks behind the copy's end are moved") }
      if blocks.lowerBound != movedEnd {
        fail("blocks from \(blocks.lowerBound) are moved after \(movedEnd)")
      }
      movedEnd = blocks.upperBound
      moving = Moving(unread: mask)
    case .read(let block):
      moving?.unread &= ~(1 << block)
      moving?.unwritten |= 1 << block
      moving?.buffer[Int(block)] = original[Int(block)]
    case .write(let block):
      copy[Int(block)] = moving?.buffer[Int(block)] ?? Self.unknown
      moving?.buffer[Int(block)] = 0
      moving?.unwritten &= ~(1 << block)
    case .failRead, .failWrite:
      failures += 1
      moving?.failure = step == .failRead ? .original(Self.failure) : .copy(Self.failure)
    default:
      let failure = moving?.failure
      moving = nil
      change {
        if let failure { $0.helper.take(.failed(failure)) }
        if $0.helper.isAlive { $0.route.moved(&$0.deeds) }
      }
    }
  }

  // MARK: what holds

  /// What is wrong with a world; nil where nothing is.
  func violation() -> String? {
    if let broken { return broken }
    if helper.isAlive != route.isOn {
      return "\(helper.state), and the mirror is \(route.isOn ? "on" : "off")"
    }
    let isCopied = helper.isCopied
    for block in 0..<count where isUsed(block) && reference[Int(block)] != 0 {
      let index = Int(block)
      let isWritten = flights.contains { $0.file == .original && $0.blocks.contains(block) }
      let pending = writes.filter { $0.blocks.contains(block) }
      // A write may be in the original before it has finished.
      let allowed = [reference[index]] + pending.map { Self.value(of: $0.id) }
      if !isWritten, !allowed.contains(original[index]), !pending.contains(where: \.isRefused) {
        return "block \(block) of the original holds \(original[index]) where \(reference[index]) was written"
      }
      let mustAgree = isCopied || (helper.isAlive && block < route.cursor && pending.isEmpty)
      if mustAgree, copy[index] != reference[index] {
        return
          "\(helper.state): block \(block) of the copy holds \(copy[index]) where \(reference[index]) was written"
      }
    }
    if helper.state == .sleeping, !route.isWhole || route.cursor < count {
      return "sleeping at \(route.cursor) of \(count)"
    }
    if helper.state == .exited, route.pending > 0 { return "exited with \(route.pending) writes pending" }
    if isCopied, !flights.isEmpty { return "copied with writes under way" }
    if isOver, flights.contains(where: { $0.file == .copy }) {
      return "the copy is closed while it is written"
    }
    return ownSteps().isEmpty ? violationAtRest() : nil
  }

  /// Where nothing comes by itself any more, nobody waits.
  private func violationAtRest() -> String? {
    if !writes.isEmpty || !unsent.isEmpty { return "\(helper.state): writes \(writes.map(\.id)) never end" }
    switch helper.state {
    case .sleeping: return nil
    case .exited: return isOver ? nil : "exited, and the copy is never closed"
    case .starting, .inProgress, .done, .stunning, .failed: return "at rest while \(helper.state)"
    }
  }
}
