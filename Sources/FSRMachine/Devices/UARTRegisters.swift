/// The 16550's registers and its receive FIFO, with the values QEMU's has after reset.
struct UARTRegisters {
  static let fifoDepth = 16

  var interruptEnable: UInt8 = 0
  var fifoEnabled = false
  var lineControl: UInt8 = 0
  var modemControl: UInt8 = 0x08
  var scratch: UInt8 = 0
  var divisor: UInt16 = 0x0c
  /// The transmitter went empty since the interrupt was last identified.
  var transmitPending = false
  /// A byte came when the FIFO was full.
  var overrun = false
  var received = InlineArray<16, UInt8>(repeating: 0)
  var receivedStart = 0
  var receivedCount = 0

  private var isDivisorVisible: Bool { lineControl & 0x80 != 0 }
  private var isLoopback: Bool { modemControl & 0x10 != 0 }

  /// Whether a byte may come without an overrun.
  var hasRoom: Bool { receivedCount < (fifoEnabled ? Self.fifoDepth : 1) }

  /// Puts a byte in the receive FIFO; a full one drops it and says overrun.
  mutating func receive(_ byte: UInt8) {
    guard hasRoom else {
      overrun = true
      return
    }
    received[(receivedStart + receivedCount) % Self.fifoDepth] = byte
    receivedCount += 1
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
    guard receivedCount > 0 else { return 0 }
    defer {
      receivedStart = (receivedStart + 1) % Self.fifoDepth
      receivedCount -= 1
    }
    return received[receivedStart]
  }

  /// The level of the interrupt line. Received data interrupts at once, whatever the FIFO's trigger level: that
  /// only says how long to wait for more, and here nothing more is on its way.
  var isInterrupting: Bool {
    interruptEnable & 4 != 0 && overrun || interruptEnable & 1 != 0 && receivedCount > 0
      || interruptEnable & 2 != 0 && transmitPending
  }

  private mutating func identifyInterrupt() -> UInt8 {
    let fifo: UInt8 = fifoEnabled ? 0xc0 : 0
    if interruptEnable & 4 != 0, overrun { return fifo | 0x06 }
    if interruptEnable & 1 != 0, receivedCount > 0 { return fifo | 0x04 }
    if interruptEnable & 2 != 0, transmitPending {
      transmitPending = false
      return fifo | 0x02
    }
    return fifo | 0x01
  }

  private mutating func controlFIFO(_ value: UInt8) {
    let enabled = value & 1 != 0
    if value & 2 != 0 || enabled != fifoEnabled { (receivedStart, receivedCount) = (0, 0) }
    fifoEnabled = enabled
  }

  /// Carrier, ready and clear to send; in loopback what modem control says.
  private var modemStatus: UInt8 {
    guard isLoopback else { return 0xb0 }
    return (modemControl & 0x0c) << 4 | (modemControl & 0x02) << 3 | (modemControl & 0x01) << 5
  }
}
