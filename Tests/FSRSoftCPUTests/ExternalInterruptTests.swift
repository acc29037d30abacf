import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
internal import FSRState
import FSRTestSupport
import Synchronization
import Testing

/// Holds what is typed until the guest takes it.
private final class TypedInput: ConsoleSource {
  private let bytes = Mutex<[UInt8]>([])
  func type(_ text: String) { bytes.withLock { $0 += Array(text.utf8) } }
  func take() -> UInt8? { bytes.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
}

@Suite(.enabled(if: GuestProgram.isClangThere)) struct ExternalInterruptTests {
  /// Echoes what is typed, by interrupts alone, until a dot comes.
  private static let echo = """
    la t0, handler
    csrw mtvec, t0
    li t0, 0x0c000028
    li t1, 1
    sw t1, 0(t0)
    li t0, 0x0c002000
    li t1, 1024
    sw t1, 0(t0)
    li s0, 0x10000000
    li t1, 1
    sb t1, 2(s0)
    sb t1, 1(s0)
    li t1, 0x800
    csrw mie, t1
    csrsi mstatus, 8
    idle: wfi
    j idle
    .balign 4
    handler:
    csrr s4, mcause
    li s1, 0x0c200004
    lw s2, 0(s1)
    more: lbu t0, 5(s0)
    andi t0, t0, 1
    beqz t0, done
    lbu s3, 0(s0)
    sb s3, 0(s0)
    li t0, '.'
    beq s3, t0, finish
    j more
    done: sw s2, 0(s1)
    mret
    finish:
    """ + "\n" + GuestProgram.finish

  @Test func aGuestThatSleepsIsWokenByWhatIsTyped() throws {
    let memory = try GuestMemory(size: 1 << 20)
    let (input, console, waker) = (TypedInput(), RecordingConsole(), CountingWaker())
    let machine = try Machine(
      memory: memory, harts: 1, clock: ManualClock(), console: console, input: input, waker: waker)
    let cpus = SoftCPU.harts(of: machine)
    try machine.load(ELFImage(try GuestProgram.assemble(Self.echo)), cpus: cpus)
    #expect(cpus[0].run(budget: 10_000) == .waiting(untilTicks: nil))
    let wakes = waker.count(0)
    input.type("hello")
    machine.uart.receive()
    #expect(waker.count(0) > wakes)
    #expect(cpus[0].run(budget: 10_000) == .waiting(untilTicks: nil))
    #expect(console.text == "hello")
    input.type(" and more than the sixteen bytes of the FIFO.")
    machine.uart.receive()
    #expect(cpus[0].run(budget: 100_000) == .ended(.passed))
    #expect(console.text == "hello and more than the sixteen bytes of the FIFO.")
    let registers = try HartRegisters(cpus[0])
    #expect(registers["s4"] == (1 as UInt64) << 63 | 11)
    #expect(registers["s2"] == 10)
  }
}
