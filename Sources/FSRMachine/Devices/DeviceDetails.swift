import FSRState

/// What devices have beside their own sections, which older builds read: the serial port's trigger level and held byte,
/// and requests for interrupts whose lines have fallen. A guest that comes without it can bear that.
///
/// A build that does not know it passes it on, and it is old then: it counts only where the serial port stands as it did.
struct DeviceDetails: SavesState, Sendable {
  let machine: Machine

  static var stateVersion: UInt16 { 1 }

  /// Whether there is nothing to say.
  var isEmpty: Bool {
    let port = machine.uart.registers
    return port.trigger == 0 && port.held == 0
      && (0..<InterruptRegisters.words).allSatisfy { machine.plic.latched($0) == 0 }
  }

  func save(to writer: inout ByteWriter) {
    let port = machine.uart.registers
    // How the port stands, by what a driver sets.
    writer.write(port.interruptEnable)
    writer.write(port.fifoEnabled)
    writer.write(port.lineControl)
    writer.write(port.modemControl)
    writer.write(port.scratch)
    writer.write(port.trigger)
    writer.write(port.held)
    for word in 0..<InterruptRegisters.words { writer.write(machine.plic.latched(word)) }
  }

  func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    // A later one is left out: nothing depends on it.
    if version > Self.stateVersion { return }
    let port = machine.uart.registers
    let enable: UInt8 = try reader.read()
    let hasFIFO = try reader.readBool()
    let line: UInt8 = try reader.read()
    let modem: UInt8 = try reader.read()
    let scratch: UInt8 = try reader.read()
    let trigger = try reader.read(below: 4, "trigger level")
    let held: UInt8 = try reader.read()
    var latched: [UInt32] = []
    for _ in 0..<InterruptRegisters.words { latched.append(try reader.read()) }
    try reader.finish()
    guard enable == port.interruptEnable, hasFIFO == port.fifoEnabled, line == port.lineControl,
      modem == port.modemControl, scratch == port.scratch
    else { return }
    machine.uart.refine(trigger: trigger, held: held)
    machine.plic.latch(latched)
  }
}
