import FSRState

extension HartCore {
  static var stateVersion: UInt16 { 1 }

  /// The reservation is dropped, as any trap may do; predecoded code is made again. Changes
  /// nothing, and counts as changing as `Registers` do.
  mutating func save(to writer: inout ByteWriter) {
    writer.write(UInt16(hart))
    writer.write(pc)
    x.save(to: &writer)
    writer.write(control.status)
    writer.write(control.enabled)
    writer.write(control.vector)
    writer.write(control.scratch)
    writer.write(control.exceptionPC)
    writer.write(control.cause)
    writer.write(control.value)
    writer.write(executed)
    writer.write(cycleOffset)
    writer.write(retiredOffset)
    writer.write(isWaiting)
  }

  mutating func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion("hart.\(hart)", has: version, reads: Self.stateVersion)
    }
    let number = try reader.read(UInt16.self)
    guard Int(number) == hart else { throw .invalid("hart number", UInt64(number)) }
    let newPC = try reader.read(UInt64.self)
    guard newPC % 2 == 0 else { throw .invalid("pc", newPC) }
    var registers = Registers()
    for register in 1..<32 { registers[register] = try reader.read() }
    let newControl = try ControlRegisters(from: &reader)
    let counts: (UInt64, UInt64, UInt64) = (try reader.read(), try reader.read(), try reader.read())
    let newWaiting = try reader.readBool()
    try reader.finish()
    pc = newPC
    x = registers
    control = newControl
    (executed, cycleOffset, retiredOffset) = counts
    isWaiting = newWaiting
    dropTransient()
  }

  /// Forgets what is not carried.
  mutating func dropTransient() {
    reservation = nil
    end = nil
    endsSlice = false
    isCaught = false
    cache.drop()
  }
}

extension ControlRegisters {
  /// Reads what `HartCore.save` wrote; a value that the register cannot hold is refused.
  fileprivate init(from reader: inout ByteReader) throws(StateError) {
    self.init()
    try setChecked(&reader, "mstatus", { $0.setStatus($1) }, \.status)
    try setChecked(&reader, "mie", { $0.setEnabled($1) }, \.enabled)
    try setChecked(&reader, "mtvec", { $0.setVector($1) }, \.vector)
    scratch = try reader.read()
    try setChecked(&reader, "mepc", { $0.setExceptionPC($1) }, \.exceptionPC)
    setCause(try reader.read())
    setValue(try reader.read())
  }

  /// Sets a register as an instruction would, and sees that it took the whole value.
  private mutating func setChecked(
    _ reader: inout ByteReader, _ name: String, _ set: (inout ControlRegisters, UInt64) -> Void,
    _ get: (ControlRegisters) -> UInt64
  ) throws(StateError) {
    let value = try reader.read(UInt64.self)
    set(&self, value)
    guard get(self) == value else { throw .invalid(name, value) }
  }
}
