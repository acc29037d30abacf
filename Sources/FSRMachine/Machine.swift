public import FSRMemory
import Synchronization

/// One guest's board: RAM, devices and the wires into its harts. It owns no threads.
///
/// Whoever runs it has one host thread per hart call `VirtualCPU.run`. The machine does not know that it may be
/// moved: its state is saved and restored by name (`MachineSections`) while no hart runs.
public final class Machine: Sendable {
  public let memory: GuestMemory
  /// How many harts there are.
  public let harts: Int
  public let bus: Bus
  public let clint: CoreLocalInterruptor
  public let plic: PlatformInterruptController
  public let uart: UART16550
  private let lines: [HartLines]
  private let waker: any WakesHarts
  let symbols = Mutex(GuestSymbols())

  /// - Parameter input: nil where nobody types.
  /// - Throws: `MachineError`.
  public init(
    memory: GuestMemory, harts: Int, clock: any GuestClock, console: any ConsoleSink,
    input: (any ConsoleSource)? = nil, waker: any WakesHarts
  ) throws(MachineError) {
    guard (1...BoardMap.hartLimit).contains(harts) else { throw .harts(harts) }
    guard memory.size % 4096 == 0, memory.size >= BoardMap.smallestRAM, memory.size <= BoardMap.largestRAM
    else { throw .memorySize(memory.size) }
    self.memory = memory
    self.harts = harts
    self.waker = waker
    lines = (0..<harts).map { _ in HartLines() }
    clint = CoreLocalInterruptor(lines: lines, clock: clock, waker: waker)
    let plic = PlatformInterruptController(lines: lines, waker: waker)
    self.plic = plic
    uart = UART16550(console: console, input: input) {
      plic.setLevel($0, source: BoardMap.uartInterrupt)
    }
    // In the order in which they are looked at: the frequent ones first.
    bus = Bus(
      [
        .init(base: BoardMap.uart, size: BoardMap.uartSize, device: uart),
        .init(base: BoardMap.clint, size: BoardMap.clintSize, device: clint),
        .init(base: BoardMap.plic, size: BoardMap.plicSize, device: plic),
        .init(base: BoardMap.finisher, size: BoardMap.finisherSize, device: TestFinisher()),
      ]
        + (0..<UInt64(BoardMap.virtioCount)).map {
          .init(
            base: BoardMap.virtio + $0 * BoardMap.virtioSize, size: BoardMap.virtioSize, device: VirtioSlot())
        })
  }

  /// The wires into `hart`, which is below `harts`.
  public func lines(of hart: Int) -> HartLines { lines[hart] }

  /// Makes every hart leave `run` within a few hundred instructions, and wakes those that wait. Stays in
  /// force until `clearStop`. Any thread may call it.
  public func requestStop() {
    for line in lines { line.stop.store(1, ordering: .releasing) }
    for hart in lines.indices { waker.wake(hart: hart) }
  }

  /// Lets harts run again.
  public func clearStop() {
    for line in lines { line.stop.store(0, ordering: .releasing) }
  }

  /// Whether no hart will ever run an instruction of the guest's again.
  public var areAllCaught: Bool {
    lines.allSatisfy { $0.caught.load(ordering: .sequentiallyConsistent) != 0 }
  }

  /// Where `tohost` lies, as an offset in RAM; nil where the guest has none.
  public var toHost: UInt64? { symbols.withLock { $0.toHost } }
  /// Where the soak guest takes its parameters from, as an offset in RAM.
  public var soakParameters: UInt64? { symbols.withLock { $0.parameters } }
  /// Where the soak guest keeps its statistics, as an offset in RAM.
  public var soakStatistics: UInt64? { symbols.withLock { $0.statistics } }
}
