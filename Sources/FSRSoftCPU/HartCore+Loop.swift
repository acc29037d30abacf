import FSRMachine
import FSRMemory

extension HartCore {
  /// What an instruction that is done outside the loop counts towards the slice: about as long takes an access
  /// to a device, or a look at the clock. So a slice of nothing else is over as soon as one of ordinary code.
  private static let slowCost = 16
  /// The same of an atomic one.
  private static let atomicCost = 2

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
      runTraces(count, machine, memory)
    }
    return Int(truncatingIfNeeded: executed &- before)
  }

  /// Goes from trace to trace until less than the longest is left of `count`, or the slice is to end.
  private mutating func runTraces(_ count: Int, _ machine: Machine, _ memory: GuestMemory) {
    var left = count &- CodeCache.longestTrace
    var start = 0
    // The operation that the next trace may be linked to, if nothing is dropped before.
    var from: (op: Int, generation: Int)?
    while left >= 0, !endsSlice {
      if start == 0 {
        guard let found = cache.trace(at: pc, memory) else { return step(machine, memory) }
        if let from, from.generation == cache.generation { cache.link(from.op, to: found) }
        start = found
      }
      let exit = TraceLoop.run(&x, cache, memory, from: start, left: left)
      executed &+= UInt64(bitPattern: Int64(left &- exit.left))
      left = exit.left
      start = 0
      from = nil
      switch exit.reason {
      case .budget: pc = cache.marks[exit.index].pc
      case .missing: pc = exit.pc
      case .unlinked:
        pc = cache.marks[exit.index].pc
        from = (exit.index, cache.generation)
      case .rare:
        from = (exit.index, cache.generation)
        left &-= executeRare(at: exit.index, machine)
        if cache.generation == from?.generation { start = cache.start(after: exit.index, at: pc) }
      case .first, .second: left &-= access(at: exit, machine, memory)
      }
    }
  }

  /// Does a rare instruction in a trace; answers what it counts.
  private mutating func executeRare(at index: Int, _ machine: Machine) -> Int {
    let mark = cache.marks[index]
    let op = MicroOp(cache.ops[index], length: mark.length)
    executed &+= UInt64(mark.count)
    pc = executeRare(op, mark.pc, mark.pc &+ op.length, 1, machine)
    executed &+= 1
    return Int(mark.count) &+ (op.operation.isAtomic ? Self.atomicCost : Self.slowCost)
  }

  /// Does an access that is not in RAM; answers what it and the instructions before it count.
  private mutating func access(at exit: TraceExit, _ machine: Machine, _ memory: GuestMemory) -> Int {
    let mark = cache.marks[exit.index]
    var before = Int(mark.count)
    pc = mark.pc
    if exit.reason == .second {
      before &+= 1
      pc &+= UInt64(mark.length)
    }
    executed &+= UInt64(before)
    if cache.ops[exit.index].step.isAccess {
      let op = MicroOp(cache.ops[exit.index], length: mark.length)
      pc = accessSlowly(op, pc, pc &+ op.length, machine)
      executed &+= 1
    } else {
      step(machine, memory)
    }
    return before &+ Self.slowCost
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
    case .first, .second, .rare: return accessSlowly(op, pc, next, machine)
    }
  }
}
