public import FSRState
import Synchronization

/// The PLIC: takes the devices' interrupt lines to the harts by priority (RISC-V PLIC specification 1.0.0), with
/// the layout of QEMU's board: context 2·hart is machine mode. The odd contexts, of a mode that these harts do not
/// have, keep what is stored and interrupt nobody.
public final class PlatformInterruptController: BusDevice {
  private let registers: Mutex<InterruptRegisters>
  private let lines: [HartLines]
  private let waker: any WakesHarts

  init(lines: [HartLines], waker: any WakesHarts) {
    self.lines = lines
    self.waker = waker
    registers = Mutex(InterruptRegisters(contexts: lines.count * 2))
  }

  /// A device's line: high while the device wants attention.
  func setLevel(_ isHigh: Bool, source: Int) {
    change { $0.setLevel(isHigh, source: source) }
  }

  /// Puts all registers back to how a guest finds them at its start; the lines stay as the devices hold them.
  func reset() { change { $0.reset() } }

  /// Whether the guest ever came here. One that did not has nothing to carry.
  var isInUse: Bool { registers.withLock { $0.isInUse } }

  /// Requests of 32 sources whose lines have fallen since, which no line says anew.
  func latched(_ word: Int) -> UInt32 { registers.withLock { $0.latched(word) } }

  /// Puts such requests in place.
  func latch(_ requests: [UInt32]) { change { $0.latch(requests) } }

  func load(_ offset: UInt64, width: Int) -> UInt64? {
    guard width == 4 else { return nil }
    if case .claim(let context) = InterruptRegister(offset) {
      guard context < lines.count * 2 else { return 0 }
      return change { UInt64($0.claim(context)) }
    }
    return registers.withLock { UInt64($0.read(InterruptRegister(offset))) }
  }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome {
    guard width == 4 else { return .fault }
    change { $0.write(UInt32(truncatingIfNeeded: value), to: InterruptRegister(offset)) }
    return .done
  }

  /// Changes the registers and tells the harts what that means for them, under one lock: of two changes at once
  /// the later must not be told first.
  private func change<T>(_ body: (inout InterruptRegisters) -> T) -> T {
    registers.withLock { registers in
      let result = body(&registers)
      for (hart, line) in lines.enumerated() {
        let level: UInt32 = registers.isInterrupting(context: hart * 2) ? 1 : 0
        guard line.external.load(ordering: .relaxed) != level else { continue }
        line.external.store(level, ordering: .releasing)
        if level == 1 { waker.wake(hart: hart) }
      }
      return result
    }
  }
}

extension PlatformInterruptController: SavesState {
  public static var stateVersion: UInt16 { 1 }

  public func save(to writer: inout ByteWriter) { registers.withLock { $0.save(to: &writer) } }

  public func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion("plic", has: version, reads: Self.stateVersion)
    }
    var new = InterruptRegisters(contexts: lines.count * 2)
    try new.restore(from: &reader)
    change { $0.replace(by: new) }
  }
}
