public import FSRSoftCPU
import FSRState

/// A hart's registers, taken from its saved state.
public struct HartRegisters: Equatable {
  public let pc: UInt64
  public let x: [UInt64]
  public let status, enabled, vector, scratch, exceptionPC, cause, value: UInt64
  public let executed: UInt64
  public let isWaiting: Bool

  public init(_ cpu: SoftCPU) throws {
    var writer = ByteWriter()
    cpu.save(to: &writer)
    var reader = ByteReader(writer.bytes)
    _ = try reader.read(UInt16.self)
    pc = try reader.read()
    var registers: [UInt64] = [0]
    for _ in 1..<32 { registers.append(try reader.read()) }
    x = registers
    status = try reader.read()
    enabled = try reader.read()
    vector = try reader.read()
    scratch = try reader.read()
    exceptionPC = try reader.read()
    cause = try reader.read()
    value = try reader.read()
    executed = try reader.read()
    _ = try reader.read(UInt64.self)
    _ = try reader.read(UInt64.self)
    isWaiting = try reader.readBool()
    try reader.finish()
  }

  public subscript(_ name: String) -> UInt64 {
    let names = [
      "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6",
      "a7",
      "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    ]
    return x[names.firstIndex(of: name)!]
  }
}
