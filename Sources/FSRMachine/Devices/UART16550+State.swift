public import FSRState
import Synchronization

extension UART16550: SavesState {
  public static var stateVersion: UInt16 { 1 }

  public func save(to writer: inout ByteWriter) {
    let registers = registers
    writer.write(registers.interruptEnable)
    writer.write(registers.fifoEnabled)
    writer.write(registers.lineControl)
    writer.write(registers.modemControl)
    writer.write(registers.scratch)
    writer.write(registers.divisor)
    writer.write(registers.transmitPending)
    writer.write(registers.overrun)
    writer.write(UInt8(registers.receivedCount))
    for index in 0..<registers.receivedCount {
      writer.write(registers.received[(registers.receivedStart + index) % UARTRegisters.fifoDepth])
    }
  }

  public func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion("uart", has: version, reads: Self.stateVersion)
    }
    var new = UARTRegisters()
    new.interruptEnable = try reader.read(below: 0x10, "interrupt enable")
    new.fifoEnabled = try reader.readBool()
    new.lineControl = try reader.read()
    new.modemControl = try reader.read(below: 0x20, "modem control")
    new.scratch = try reader.read()
    new.divisor = try reader.read()
    new.transmitPending = try reader.readBool()
    new.overrun = try reader.readBool()
    let count = Int(try reader.read(UInt8.self))
    guard count <= UARTRegisters.fifoDepth else { throw .invalid("receive FIFO's count", UInt64(count)) }
    for index in 0..<count { new.received[index] = try reader.read() }
    new.receivedCount = count
    if !new.fifoEnabled, count > 0 { new.held = new.received[0] }
    try reader.finish()
    replace(by: new)
  }
}

extension ByteReader {
  /// The next byte, refused at or above `limit`.
  mutating func read(below limit: UInt8, _ name: String) throws(StateError) -> UInt8 {
    let value = try read(UInt8.self)
    guard value < limit else { throw .invalid(name, UInt64(value)) }
    return value
  }
}
