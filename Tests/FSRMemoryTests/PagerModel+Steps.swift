import FSRMemory

/// A pager and its world, and all that can happen next.
struct PagerRun: Hashable {
  var pager: Pager
  var world: PagerModel
  /// How much may still go wrong, or be asked for.
  var failures: Int
  var handFailures: Int
  var handoffs: Int
  var discards: Int

  init(
    _ settings: PagerSettings, _ world: PagerModel, failures: Int, handFailures: Int = 0, handoffs: Int = 0,
    discards: Int = 0
  ) {
    pager = Pager(settings)
    self.world = world
    self.failures = failures
    self.handFailures = handFailures
    self.handoffs = handoffs
    self.discards = discards
  }

  private func stepping(_ change: (inout PagerRun) -> Void) -> PagerRun {
    var next = self
    change(&next)
    return next
  }

  /// Every world one step further.
  func successors() -> [PagerRun] { guest() + kernel() + operators() }

  /// The guest touches a page: at once, or it stands until the page is there.
  private func guest() -> [PagerRun] {
    if world.isPaused || pager.mode == .freezing || pager.mode == .frozen { return [] }
    var next: [PagerRun] = []
    for page in world.table.indices where !world.stands[page] {
      if world.isMapped[page] {
        for value in UInt8(0)...2 where value != world.written[page] {
          next.append(
            stepping {
              $0.world.memory[page] = value
              $0.world.written[page] = value
            })
        }
      } else {
        next.append(
          stepping {
            $0.world.stands[page] = true
            $0.world.faults.insert(UInt64(page))
          })
      }
    }
    return next
  }

  /// A fault is told of; an operation ends, well or not; time passes.
  private func kernel() -> [PagerRun] {
    var next: [PagerRun] = []
    for page in world.faults {
      next.append(
        stepping {
          $0.world.faults.remove(page)
          $0.pager.fault(page, now: 0, &$0.world)
        })
    }
    for (buffer, operation) in world.operations {
      for error in failures > 0 ? [nil, PageStoreError.io] : [nil] {
        next.append(
          stepping {
            $0.world.operations[buffer] = nil
            if error != nil { $0.failures -= 1 }
            if $0.world.buffers[buffer] != operation.value, operation.isWrite {
              $0.world.broken = "a buffer changed while it was written"
            }
            if operation.isWrite, error == nil { $0.world.slots[Int(operation.slot)] = operation.value }
            if !operation.isWrite { $0.world.buffers[buffer] = error == nil ? operation.value : 0xee }
            $0.pager.completed(buffer, error, now: 0, &$0.world)
          })
      }
    }
    if pager.deadline != nil || pager.trouble != nil {
      next.append(stepping { $0.pager.tick(now: 0, &$0.world) })
    }
    if handFailures > 0, !world.handFails {
      next.append(
        stepping {
          $0.handFailures -= 1
          $0.world.handFails = true
        })
    }
    return next
  }

  private func operators() -> [PagerRun] {
    var next: [PagerRun] = []
    if world.isPaused {
      next.append(
        stepping {
          $0.world.isPaused = false
          $0.pager.resumed(now: 0, &$0.world)
        })
    }
    if discards > 0 {
      for page in world.table.indices {
        next.append(
          stepping {
            $0.discards -= 1
            // In a freeze nothing changes.
            if $0.pager.discard(UInt64(page)..<UInt64(page) + 1, now: 0, &$0.world) {
              $0.world.written[page] = 0
            }
          })
      }
    }
    switch pager.mode {
    case .running where handoffs > 0:
      next.append(
        stepping {
          $0.handoffs -= 1
          $0.pager.change(to: .quiesced, now: 0, &$0.world)
        })
    case .running: break
    case .quiesced:
      next.append(stepping { $0.pager.change(to: .freezing, now: 0, &$0.world) })
      next.append(stepping { $0.pager.change(to: .running, now: 0, &$0.world) })
    case .freezing, .frozen:
      next.append(stepping { $0.pager.change(to: .running, now: 0, &$0.world) })
      if pager.mode == .frozen { next.append(stepping { $0.takeOver() }) }
    }
    return next
  }

  /// The destination begins: nothing is mapped there, nobody stands, and its pager knows the table alone.
  private mutating func takeOver() {
    world.isMapped = world.isMapped.map { _ in false }
    world.stands = world.stands.map { _ in false }
    world.faults = []
    world.isPaused = false
    world.drained = 0
    pager = Pager(pager.settings)
    pager.change(to: .running, now: 0, &world)
  }

  /// What holds after every step; nil where all of it does.
  func violation() -> String? {
    if let broken = world.broken { return broken }
    var named: Set<UInt32> = []
    for (page, state) in world.table.enumerated() {
      let value: UInt8? =
        switch state {
        case .absent: 0
        case .resident: world.memory[page]
        case .compressed(let position):
          world.cache.first { $0.position == position && $0.page == UInt64(page) }?.value
        case .swapped(let slot): world.slots[Int(slot)]
        }
      if value != world.written[page] { return "page \(page): \(state) holds what is not last written" }
      if world.isMapped[page], state != .resident { return "page \(page) is mapped and \(state)" }
      if state != .resident, world.memory[page] != nil { return "page \(page) is \(state) and takes memory" }
      if case .swapped(let slot) = state {
        if !named.insert(slot).inserted { return "two pages in slot \(slot)" }
        if !world.used.contains(slot) { return "page \(page) is in a free slot" }
      }
    }
    let underWay = Set(world.operations.values.map(\.slot))
    if world.used != named.union(underWay) { return "a slot is used for nothing" }
    if pager.isIdle != world.operations.isEmpty { return "the pager has lost count of its operations" }
    if pager.mode == .frozen, !pager.isIdle { return "frozen with an operation under way" }
    return world.operations.isEmpty && world.faults.isEmpty ? violationAtRest() : nil
  }

  /// With nothing under way, nobody waits for nothing, and the limit holds.
  private func violationAtRest() -> String? {
    let live = Set(
      world.table.enumerated().compactMap { page, state in
        if case .compressed = state { UInt64(page) } else { nil }
      })
    if Set(world.cache.map(\.page)) != live { return "the cache holds what is not compressed" }
    if pager.mode == .running {
      for page in world.table.indices where world.stands[page] {
        if pager.deadline == nil, pager.trouble == nil, !world.isPaused {
          return "page \(page) is never answered"
        }
      }
      if pager.trouble == nil, pager.deadline == nil, !world.handFails, handFailures == 0,
        world.residentPages > pager.settings.limit
      {
        return "\(world.residentPages) pages are resident at rest"
      }
    }
    return nil
  }
}
