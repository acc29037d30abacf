import FSRHost
import FSRSystem

/// Which vCPUs of a counting VM may count, and what they have counted.
struct CountingGate {
  enum Turn {
    case count, stand, leave
    case switchOver(@Sendable () -> Void)
  }

  var (isOpen, isPaused, isOver) = (false, false, false)
  private var standing = 0
  private var switchover: (@Sendable () -> Void)?
  /// Of each vCPU.
  var registers: [UInt64]
  private(set) var errors: UInt64 = 0

  init(registers: [UInt64]) { self.registers = registers }

  /// What a vCPU does next; the one that stands last has the switchover.
  mutating func turn(_ isStanding: inout Bool) -> Turn {
    let mayCount = isOpen && !isPaused
    if isStanding == mayCount { standing += mayCount ? -1 : 1 }
    isStanding = !mayCount
    if isOver || mayCount { return isOver ? .leave : .count }
    guard standing == registers.count, let body = switchover else { return .stand }
    switchover = nil
    return .switchOver(body)
  }

  mutating func count(_ vcpu: Int, _ memory: borrowing MappedRegion) {
    let word = UInt64(vcpu) * 8
    if memory.atomicLoad(word, as: UInt64.self) != registers[vcpu] { errors += 1 }
    registers[vcpu] += 1
    memory.atomicStore(registers[vcpu], at: word)
  }

  mutating func stop(_ body: @escaping @Sendable () -> Void) { (isOpen, switchover) = (false, body) }

  /// False where the switchover has begun.
  mutating func cancelStop() -> Bool {
    if switchover != nil { (isOpen, switchover) = (true, nil) }
    return isOpen
  }

  mutating func pause(_ isPaused: Bool) -> PauseAnswer {
    self.isPaused = isPaused
    return .done
  }
}
