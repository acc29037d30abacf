/// Why a hart enters its trap handler: the values of mcause.
enum Trap {
  static let instructionAccessFault: UInt64 = 1
  static let illegalInstruction: UInt64 = 2
  static let breakpoint: UInt64 = 3
  static let loadMisaligned: UInt64 = 4
  static let loadAccessFault: UInt64 = 5
  static let storeMisaligned: UInt64 = 6
  static let storeAccessFault: UInt64 = 7
  static let machineCall: UInt64 = 11
  /// Marks interrupts.
  static let interrupt: UInt64 = 1 << 63
}

/// Bits of mip and mie; the bit's number is also the interrupt's mcause.
enum Interrupt {
  static let software: UInt64 = 1 << 3
  static let timer: UInt64 = 1 << 7
  static let external: UInt64 = 1 << 11
  static let all = software | timer | external
}
