/// The machine-mode CSRs that hold something.
struct ControlRegisters: Equatable {
  static let interruptEnable: UInt64 = 1 << 3
  static let previousInterruptEnable: UInt64 = 1 << 7
  /// MPP is always 3: there is no mode but machine mode.
  static let previousMode: UInt64 = 3 << 11
  /// RV64, with A, C, I and M.
  static let isa: UInt64 = 2 << 62 | 1 << 0 | 1 << 2 | 1 << 8 | 1 << 12

  /// mstatus.MIE and mstatus.MPIE; everything else in it reads as a constant.
  private(set) var status: UInt64 = 0
  private(set) var enabled: UInt64 = 0
  private(set) var vector: UInt64 = 0
  var scratch: UInt64 = 0
  private(set) var exceptionPC: UInt64 = 0
  private(set) var cause: UInt64 = 0
  private(set) var value: UInt64 = 0

  var readableStatus: UInt64 { status | Self.previousMode }
  var areInterruptsOn: Bool { status & Self.interruptEnable != 0 }

  mutating func setStatus(_ new: UInt64) {
    status = new & (Self.interruptEnable | Self.previousInterruptEnable)
  }

  mutating func setEnabled(_ new: UInt64) { enabled = new & Interrupt.all }

  /// Reserved modes leave the register as it is.
  mutating func setVector(_ new: UInt64) { if new & 3 < 2 { vector = new } }

  mutating func setExceptionPC(_ new: UInt64) { exceptionPC = new & ~1 }
  mutating func setCause(_ new: UInt64) { cause = new }
  mutating func setValue(_ new: UInt64) { value = new }

  /// Takes a trap at `pc`; answers where the handler is.
  mutating func enter(_ cause: UInt64, _ value: UInt64, at pc: UInt64) -> UInt64 {
    exceptionPC = pc
    self.cause = cause
    self.value = value
    status = areInterruptsOn ? Self.previousInterruptEnable : 0
    let base = vector & ~3
    let isVectored = vector & 1 == 1 && cause & Trap.interrupt != 0
    return isVectored ? base &+ (cause & 63) &* 4 : base
  }

  /// Returns from a trap; answers where to.
  mutating func leave() -> UInt64 {
    let wereOn = status & Self.previousInterruptEnable != 0
    status = (wereOn ? Self.interruptEnable : 0) | Self.previousInterruptEnable
    return exceptionPC
  }
}
