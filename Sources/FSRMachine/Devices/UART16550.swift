import Synchronization

/// The serial port: output goes straight to the console sink, so the transmitter is always empty; input waits in
/// the console source until the receive FIFO has room.
public final class UART16550: BusDevice {
  private struct State: ~Copyable {
    var registers = UARTRegisters()
    /// What the interrupt line was last told.
    var isInterrupting = false
  }

  private let port = Mutex(State())
  private let console: any ConsoleSink
  private let input: (any ConsoleSource)?
  private let interrupt: @Sendable (Bool) -> Void

  /// - Parameter interrupt: the interrupt line, told when its level changes.
  init(
    console: any ConsoleSink, input: (any ConsoleSource)?, interrupt: @escaping @Sendable (Bool) -> Void
  ) {
    self.console = console
    self.input = input
    self.interrupt = interrupt
  }

  /// Takes what the console source has and the receive FIFO has room for. Whoever feeds the source calls it;
  /// reads of the guest's make room and do the same. Not while the machine is being saved.
  public func receive() { access { _ in } }

  /// As after power-on; what is typed from now on is the next guest's.
  func reset() { replace(by: UARTRegisters()) }

  /// The registers as they are.
  var registers: UARTRegisters { port.withLock { $0.registers } }

  /// Puts in place what was saved. Input stays in the source until somebody asks for it.
  func replace(by registers: UARTRegisters) {
    port.withLock { port in
      port.registers = registers
      updateInterrupt(&port)
    }
  }

  /// Puts in place what a checkpoint says of the registers beside them.
  func refine(trigger: UInt8, held: UInt8) {
    port.withLock { port in
      (port.registers.trigger, port.registers.held) = (trigger, held)
      updateInterrupt(&port)
    }
  }

  /// Does something with the registers, and what follows from it: room for input is filled, and the interrupt
  /// line told.
  private func access<T>(_ body: (inout UARTRegisters) -> T) -> T {
    port.withLock { port in
      let result = body(&port.registers)
      if let input {
        while port.registers.takesInput, let byte = input.take() { port.registers.receive(byte) }
      }
      updateInterrupt(&port)
      return result
    }
  }

  private func updateInterrupt(_ port: inout State) {
    let isInterrupting = port.registers.isInterrupting
    guard isInterrupting != port.isInterrupting else { return }
    port.isInterrupting = isInterrupting
    interrupt(isInterrupting)
  }

  func load(_ offset: UInt64, width: Int) -> UInt64? {
    guard offset < 8 else { return nil }
    return access { UInt64($0.read(Int(offset))) }
  }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome {
    guard offset < 8 else { return .fault }
    // The sink is called under the lock, so that bytes of several harts keep the order of their stores.
    access { registers in
      if let byte = registers.write(UInt8(truncatingIfNeeded: value), to: Int(offset)) { console.write(byte) }
    }
    return .done
  }
}
