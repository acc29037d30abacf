import Synchronization

/// The serial port: output goes straight to the console sink, so the transmitter is always empty.
public final class UART16550: BusDevice {
  let registers = Mutex(UARTRegisters())
  private let console: any ConsoleSink

  init(console: any ConsoleSink) { self.console = console }

  func load(_ offset: UInt64, width: Int) -> UInt64? {
    guard offset < 8 else { return 0 }
    return registers.withLock { UInt64($0.read(Int(offset))) }
  }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome {
    guard offset < 8 else { return .done }
    // The sink is called under the lock, so that bytes of several harts keep the order of their stores.
    registers.withLock { registers in
      if let byte = registers.write(UInt8(truncatingIfNeeded: value), to: Int(offset)) { console.write(byte) }
    }
    return .done
  }
}
