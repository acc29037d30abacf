import Synchronization

/// The serial port: output goes straight to the console sink, so the transmitter is always empty; input waits in
/// the console source until the receive FIFO has room.
public final class UART16550: BusDevice {
  let registers = Mutex(UARTRegisters())
  private let console: any ConsoleSink
  private let input: (any ConsoleSource)?

  init(console: any ConsoleSink, input: (any ConsoleSource)?) {
    self.console = console
    self.input = input
  }

  /// Takes what the console source has and the receive FIFO has room for. Whoever feeds the source calls it;
  /// reads of the guest's make room and do the same. Not while the machine is being saved.
  public func receive() { registers.withLock { fill(&$0) } }

  private func fill(_ registers: inout UARTRegisters) {
    guard let input else { return }
    while registers.hasRoom, let byte = input.take() { registers.receive(byte) }
  }

  func load(_ offset: UInt64, width: Int) -> UInt64? {
    guard offset < 8 else { return nil }
    return registers.withLock { registers in
      let value = registers.read(Int(offset))
      fill(&registers)
      return UInt64(value)
    }
  }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome {
    guard offset < 8 else { return .fault }
    // The sink is called under the lock, so that bytes of several harts keep the order of their stores.
    registers.withLock { registers in
      if let byte = registers.write(UInt8(truncatingIfNeeded: value), to: Int(offset)) { console.write(byte) }
      fill(&registers)
    }
    return .done
  }
}
