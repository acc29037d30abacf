import FSRMachine
import FSRMemory
internal import FSRState
import Synchronization

/// A hart's whole state, and what it runs with. A value: one owner at a time runs it (`SoftCPU`).
struct HartCore {
  /// Instructions between two looks at stop requests, interrupts and `tohost`.
  static let slice = 1024
  /// Slices between two looks at the clock, while the timer interrupt is enabled.
  static let clockSlices = 4

  let hart: Int
  var x = Registers()
  var pc: UInt64 = BoardMap.ram
  var control = ControlRegisters()
  /// Instructions begun since the guest's birth.
  var executed: UInt64 = 0
  /// What mcycle and minstret are ahead of `executed`.
  var cycleOffset: UInt64 = 0
  var retiredOffset: UInt64 = 0
  /// The hart completed a `wfi` and no interrupt came since.
  var isWaiting = false

  // Not carried.
  var cache: CodeCache
  var reservation: Reservation?
  /// Set by what must be seen before the next instruction: ends the slice.
  var endsSlice = false
  var end: GuestEnd?
  /// The handler's first instruction cannot be fetched: it never will be, for nothing but the handler could
  /// change where it is, and no interrupt is taken meanwhile.
  var isCaught = false
  private var slicesUntilClock = 0
  private var isTimerDue = false

  init(hart: Int, cache: CodeCache = CodeCache()) {
    self.hart = hart
    self.cache = cache
  }

  /// As after power-on. What it decodes into stays: there may be no memory for another.
  mutating func powerOn() {
    cache.drop()
    self = HartCore(hart: hart, cache: cache)
  }

  /// What a load-reserved has seen. A store-conditional succeeds where the same address still holds the same
  /// value: a change back and forth in between (ABA) is not noticed, which programs written for the
  /// architecture's LR/SC may notice only if they count on it.
  ///
  /// A trap, and the return from one, drop it, so that a handler which switches between programs does not hand
  /// one's reservation to the other.
  struct Reservation {
    let address: UInt64
    /// Sign-extended, where it was loaded as a word.
    let value: UInt64
  }

  /// Runs until something is to be done outside.
  mutating func run(_ machine: Machine, budget: UInt64) -> CPUExit {
    let lines = machine.lines(of: hart)
    let memory = machine.memory
    let toHost = machine.toHost
    var left = budget
    // The world may have moved on since the last run.
    slicesUntilClock = 0
    while true {
      if lines.stop.load(ordering: .relaxed) != 0 { return .stopped }
      if let toHost, let end = GuestEnd(toHost: memory.atomicLoadRelaxed(toHost)) { return .ended(end) }
      let pending = pendingAtSlice(machine, lines)
      if isWaiting {
        if pending == 0 { return .waiting(untilTicks: wakeTicks(machine, lines)) }
        isWaiting = false
      }
      if pending != 0, control.areInterruptsOn { takeInterrupt(pending) }
      if left == 0 { return .budget }
      let count = Int(min(UInt64(Self.slice), left))
      let done = runSlice(count, machine, memory)
      left &-= UInt64(done)
      lines.instructions.store(executed, ordering: .relaxed)
      if let end {
        self.end = nil
        return .ended(end)
      }
      if isCaught { return caught(machine, lines) }
    }
  }

  /// A hart that is caught sleeps instead of trapping for ever; the last one ends the guest.
  private mutating func caught(_ machine: Machine, _ lines: HartLines) -> CPUExit {
    isCaught = false
    lines.caught.store(1, ordering: .sequentiallyConsistent)
    guard machine.areAllCaught else { return .waiting(untilTicks: nil) }
    return .ended(.crashed(cause: control.cause, address: control.exceptionPC))
  }

  /// Enabled interrupts that are pending. The clock is looked at only now and then: it costs as much as some
  /// ten instructions.
  private mutating func pendingAtSlice(_ machine: Machine, _ lines: HartLines) -> UInt64 {
    let enabled = control.enabled
    if enabled == 0 { return 0 }
    if enabled & Interrupt.timer != 0 {
      if slicesUntilClock == 0 || endsSlice || isWaiting {
        slicesUntilClock = Self.clockSlices
        isTimerDue = machine.clint.time >= lines.timeCompare.load(ordering: .relaxed)
      }
      slicesUntilClock &-= 1
    } else {
      isTimerDue = false
      slicesUntilClock = 0
    }
    return (wired(lines) | (isTimerDue ? Interrupt.timer : 0)) & enabled
  }

  private func wired(_ lines: HartLines) -> UInt64 {
    (lines.software.load(ordering: .acquiring) != 0 ? Interrupt.software : 0)
      | (lines.external.load(ordering: .acquiring) != 0 ? Interrupt.external : 0)
  }

  /// mip as it is now.
  func pendingNow(_ machine: Machine) -> UInt64 {
    let lines = machine.lines(of: hart)
    let isDue = machine.clint.time >= lines.timeCompare.load(ordering: .relaxed)
    return wired(lines) | (isDue ? Interrupt.timer : 0)
  }

  private func wakeTicks(_ machine: Machine, _ lines: HartLines) -> UInt64? {
    guard control.enabled & Interrupt.timer != 0 else { return nil }
    let compare = lines.timeCompare.load(ordering: .relaxed)
    return compare == .max ? nil : machine.clint.clockTicks(at: compare)
  }

  /// External before software before timer.
  private mutating func takeInterrupt(_ pending: UInt64) {
    let number: UInt64 =
      pending & Interrupt.external != 0 ? 11 : pending & Interrupt.software != 0 ? 3 : 7
    pc = control.enter(Trap.interrupt | number, 0, at: pc)
    reservation = nil
    // An interrupt is not an instruction, and the look at the clock is worth nothing after it.
    slicesUntilClock = 0
  }

  /// Takes an exception of the instruction at `pc`, which does not retire; answers where to go on.
  mutating func raise(_ cause: UInt64, _ value: UInt64, at pc: UInt64) -> UInt64 {
    retiredOffset &-= 1
    reservation = nil
    return control.enter(cause, value, at: pc)
  }
}
