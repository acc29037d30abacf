internal import FSRHost
internal import FSRMachine
internal import FSRSystem

/// The thread that takes typed bytes to the serial port while this process owns the guest.
///
/// It is needed only for a guest that does not touch its port: one that does fills the port's FIFO itself.
final class ConsolePump: Sendable {
  /// Nanoseconds after which a byte is taken whose client died before it rang.
  private static let timeout: UInt64 = 1_000_000_000

  private let input: ConsoleInput
  private let uart: UART16550
  private let worker = PeriodicThread(name: "input")

  init(input: ConsoleInput, uart: UART16550) {
    self.input = input
    self.uart = uart
  }

  func start() throws(SystemError) {
    try worker.start { [self] in
      // Read before the look, so that nothing is put between the look and the sleep unnoticed. What the FIFO
      // had no room for is no news: the guest itself takes it, as it makes room.
      let seen = input.putCount
      uart.receive()
      input.waitForInput(beyond: seen, timeout: Self.timeout) { !worker.isRunning }
    }
  }

  /// Returns when the thread does nothing; what is left in the ring stays there for the next one.
  func rest() { worker.rest { input.wakeConsumer() } }

  /// The same for good.
  func stop() { worker.stop { input.wakeConsumer() } }
}
