/// The 16550's registers and its receive FIFO, with the values QEMU's has after reset (PC16550D, table II).
struct UARTRegisters {
  static let fifoDepth = 16
  /// Bytes in the receive FIFO at which received data interrupts, by the two highest bits of FIFO control.
  private static let triggerLevels = [1, 4, 8, 14]

  var interruptEnable: UInt8 = 0
  var fifoEnabled = false
  /// Which of `triggerLevels`.
  var trigger: UInt8 = 0
  var lineControl: UInt8 = 0
  var modemControl: UInt8 = 0x08
  var scratch: UInt8 = 0
  var divisor: UInt16 = 0x0c
  /// The transmitter went empty since the interrupt was last identified.
  var transmitPending = false
  /// A byte came where there was no room.
  var overrun = false
  /// Without the FIFO the first place is the one there is.
  var received = InlineArray<16, UInt8>(repeating: 0)
  var receivedStart = 0
  var receivedCount = 0
  /// The last byte received without the FIFO: it reads again when it was read.
  var held: UInt8 = 0

  private var isDivisorVisible: Bool { lineControl & 0x80 != 0 }
  private var isLoopback: Bool { modemControl & 0x10 != 0 }

  /// Whether a byte may come without an overrun.
  var hasRoom: Bool { receivedCount < (fifoEnabled ? Self.fifoDepth : 1) }

  /// Whether what is typed can come in: in loopback the line is not connected.
  var takesInput: Bool { hasRoom && !isLoopback }

  /// Puts a byte in the receiver. A full FIFO keeps what it has, the only place without one takes the newer; both
  /// say overrun.
  mutating func receive(_ byte: UInt8) {
    if !hasRoom { overrun = true }
    if !fifoEnabled {
      held = byte
      (receivedStart, receivedCount) = (0, 1)
      received[0] = byte
    } else if hasRoom {
      received[(receivedStart + receivedCount) % Self.fifoDepth] = byte
      receivedCount += 1
    }
  }

  mutating func read(_ register: Int) -> UInt8 {
    switch register {
    case 0: return isDivisorVisible ? UInt8(truncatingIfNeeded: divisor) : takeReceived()
    case 1: return isDivisorVisible ? UInt8(divisor >> 8) : interruptEnable
    case 2: return identifyInterrupt()
    case 3: return lineControl
    case 4: return modemControl
    case 5:
      // Transmitter empty, twice; data ready; overrun, which reading clears.
      let status: UInt8 = 0x60 | (receivedCount > 0 ? 1 : 0) | (overrun ? 2 : 0)
      overrun = false
      return status
    case 6: return modemStatus
    default: return scratch
    }
  }

  /// Answers the byte to send, if the store was one to the transmitter.
  mutating func write(_ value: UInt8, to register: Int) -> UInt8? {
    switch register {
    case 0 where isDivisorVisible: divisor = divisor & 0xff00 | UInt16(value)
    case 0:
      transmitPending = true
      if isLoopback { receive(value) } else { return value }
    case 1 where isDivisorVisible: divisor = divisor & 0x00ff | UInt16(value) << 8
    case 1:
      if value & 2 != 0, interruptEnable & 2 == 0 { transmitPending = true }
      interruptEnable = value & 0x0f
    case 2: controlFIFO(value)
    case 3: lineControl = value
    case 4: modemControl = value & 0x1f
    case 7: scratch = value
    default: break
    }
    return nil
  }

  private mutating func takeReceived() -> UInt8 {
    guard receivedCount > 0 else { return fifoEnabled ? 0 : held }
    defer {
      receivedStart = (receivedStart + 1) % Self.fifoDepth
      receivedCount -= 1
    }
    return received[receivedStart]
  }

  /// The interrupts' identities, the most urgent first.
  private enum Identity: UInt8 {
    case lineStatus = 0x06
    case received = 0x04
    /// Fewer bytes than the trigger level, and no more on their way. A character takes no time here, so that is at once.
    case timeout = 0x0c
    case transmitter = 0x02
    // The modem's lines never change.
    case none = 0x01
  }

  private var identity: Identity {
    if interruptEnable & 4 != 0, overrun { return .lineStatus }
    if interruptEnable & 1 != 0, receivedCount > 0 {
      return !fifoEnabled || receivedCount >= Self.triggerLevels[Int(trigger & 3)] ? .received : .timeout
    }
    if interruptEnable & 2 != 0, transmitPending { return .transmitter }
    return .none
  }

  /// The level of the interrupt line.
  var isInterrupting: Bool { identity != .none }

  private mutating func identifyInterrupt() -> UInt8 {
    let identity = identity
    // Told once; the others go with their cause.
    if identity == .transmitter { transmitPending = false }
    return identity.rawValue | (fifoEnabled ? 0xc0 : 0)
  }

  private mutating func controlFIFO(_ value: UInt8) {
    let isEnabled = value & 1 != 0
    let isSwitched = isEnabled != fifoEnabled
    if value & 2 != 0 || isSwitched { (receivedStart, receivedCount) = (0, 0) }
    // The transmitter is empty anew.
    if value & 4 != 0 || isSwitched { transmitPending = true }
    fifoEnabled = isEnabled
    if isEnabled { trigger = value >> 6 }
  }

  /// Carrier, ready and clear to send; in loopback what modem control says. None of them is said to have changed.
  private var modemStatus: UInt8 {
    guard isLoopback else { return 0xb0 }
    return (modemControl & 0x0c) << 4 | (modemControl & 0x02) << 3 | (modemControl & 0x01) << 5
  }
}
