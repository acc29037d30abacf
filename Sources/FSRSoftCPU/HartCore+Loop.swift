import FSRMachine
import FSRMemory

extension HartCore {
  /// What an instruction that is done outside the loop counts towards the slice: about as long takes an access
  /// to a device. So a slice of nothing else is over as soon as one of ordinary code.
  private static let slowCost = 16

  /// Runs `count` instructions at most; answers how many were begun, at least one.
  ///
  /// It ends early where the rest is shorter than a trace may be. A count as short as that is gone through one
  /// by one.
  mutating func runSlice(_ count: Int, _ machine: Machine, _ memory: GuestMemory) -> Int {
    let before = executed
    endsSlice = false
    if count < CodeCache.longestTrace {
      step(machine, memory)
    } else {
      var credit = count
      while credit >= CodeCache.longestTrace, !endsSlice { credit = runTraces(credit, machine, memory) }
    }
    return Int(truncatingIfNeeded: executed &- before)
  }

  /// Goes from trace to trace until one of them is left for good; answers what is left of `credit`.
  private mutating func runTraces(_ credit: Int, _ machine: Machine, _ memory: GuestMemory) -> Int {
    guard var start = cache.trace(at: pc, memory) else {
      step(machine, memory)
      return credit &- Self.slowCost
    }
    var left = credit &- CodeCache.longestTrace
    while true {
      let exit = TraceLoop.run(&x, cache, memory, from: start, left: left)
      executed &+= UInt64(bitPattern: Int64(left &- exit.left))
      left = exit.left
      switch exit.reason {
      case .budget: pc = cache.marks[exit.index].pc
      case .missing: pc = exit.pc
      case .unlinked:
        pc = cache.marks[exit.index].pc
        let generation = cache.generation
        if let next = cache.trace(at: pc, memory) {
          if cache.generation == generation { cache.link(exit.index, to: next) }
          if left >= 0 {
            start = next
            continue
          }
        }
      case .first, .second: return leave(at: exit, machine, memory) &+ CodeCache.longestTrace
      }
      return left &+ CodeCache.longestTrace
    }
  }

  /// Does the instruction for which the loop was left in the middle of a trace; answers what is left.
  private mutating func leave(at exit: TraceExit, _ machine: Machine, _ memory: GuestMemory) -> Int {
    let mark = cache.marks[exit.index]
    let step = cache.ops[exit.index].step
    var before = Int(mark.count)
    pc = mark.pc
    if exit.reason == .first, step == .rare || step.isAccess {
      executed &+= UInt64(before)
      let op = MicroOp(cache.ops[exit.index], length: mark.length)
      let next = pc &+ op.length
      pc =
        step == .rare
        ? executeRare(op, pc, next, 1, machine) : accessSlowly(op, pc, next, machine)
      executed &+= 1
    } else {
      if exit.reason == .second {
        before &+= 1
        pc &+= UInt64(mark.length)
      }
      executed &+= UInt64(before)
      self.step(machine, memory)
    }
    return exit.left &- before &- Self.slowCost
  }

  /// Executes one instruction, whichever it is.
  private mutating func step(_ machine: Machine, _ memory: GuestMemory) {
    if let op = CodeCache.fetch(pc, memory) {
      let next = pc &+ op.length
      pc =
        op.operation.isRare
        ? executeRare(op, pc, next, 1, machine) : executeAlone(op, pc, next, machine, memory)
    } else {
      pc = raiseFetchFault(pc, memory)
    }
    executed &+= 1
  }

  /// Executes one instruction by a trace of its own; answers where to go on.
  private mutating func executeAlone(
    _ op: MicroOp, _ pc: UInt64, _ next: UInt64, _ machine: Machine, _ memory: GuestMemory
  ) -> UInt64 {
    let start = cache.single(op, pc, memory)
    defer { cache.forget(from: start) }
    let exit = TraceLoop.run(&x, cache, memory, from: start, left: 0)
    switch exit.reason {
    case .budget, .unlinked: return cache.marks[exit.index].pc
    case .missing: return exit.pc
    case .first, .second: return accessSlowly(op, pc, next, machine)
    }
  }
}
