import FSRMachine
import FSRMemory
import FSRState
import Synchronization
import Testing

/// The way of an interrupt: from the serial port by the PLIC to a hart's wire.
@Suite struct InterruptTests {
  private static let uart = BoardMap.uart
  private static let plic = BoardMap.plic
  private static let source = UInt64(BoardMap.uartInterrupt)

  private static func enable(context: UInt64) -> UInt64 { plic + 0x2000 + context * 0x80 }
  private static func threshold(context: UInt64) -> UInt64 { plic + 0x20_0000 + context * 0x1000 }
  private static func claim(context: UInt64) -> UInt64 { threshold(context: context) + 4 }

  private static func put(_ machine: Machine, _ address: UInt64, _ value: UInt64) {
    #expect(machine.bus.store(value, at: address, width: 4) == .done)
  }

  private static func get(_ machine: Machine, _ address: UInt64) -> UInt64? {
    machine.bus.load(address, width: 4)
  }

  private static func wire(_ machine: Machine, _ hart: Int) -> UInt32 {
    machine.lines(of: hart).external.load(ordering: .acquiring)
  }

  /// A board whose serial port interrupts hart 1 on input, with `text` typed.
  private static func listening(_ text: String = "") throws -> (machine: Machine, input: TypedInput) {
    let input = TypedInput()
    let machine = try board(harts: 2, input: input)
    put(machine, plic + source * 4, 3)
    put(machine, enable(context: 2), 1 << source)
    _ = machine.bus.store(1, at: uart + 1, width: 1)
    input.type(text)
    machine.uart.receive()
    return (machine, input)
  }

  @Test func whatIsTypedInterruptsTheHartThatAskedForIt() throws {
    let (machine, _) = try Self.listening("a")
    #expect(Self.wire(machine, 0) == 0)
    #expect(Self.wire(machine, 1) == 1)
    #expect(Self.get(machine, Self.plic + 0x1000) == 1 << Self.source)
  }

  @Test func aClaimedSourceIsNotPendingUntilItIsCompleted() throws {
    let (machine, _) = try Self.listening("a")
    #expect(Self.get(machine, Self.claim(context: 2)) == Self.source)
    #expect(Self.wire(machine, 1) == 0)
    #expect(Self.get(machine, Self.claim(context: 2)) == 0)
    #expect(Self.get(machine, Self.plic + 0x1000) == 0)
    // The byte is still there: the line is still high.
    Self.put(machine, Self.claim(context: 2), Self.source)
    #expect(Self.wire(machine, 1) == 1)
    #expect(Self.get(machine, Self.claim(context: 2)) == Self.source)
    #expect(machine.bus.load(Self.uart, width: 1) == 0x61)
    Self.put(machine, Self.claim(context: 2), Self.source)
    #expect(Self.wire(machine, 1) == 0)
  }

  @Test func aThresholdHoldsBackWhatIsNotAboveIt() throws {
    let (machine, _) = try Self.listening("a")
    Self.put(machine, Self.threshold(context: 2), 3)
    #expect(Self.wire(machine, 1) == 0)
    Self.put(machine, Self.threshold(context: 2), 2)
    #expect(Self.wire(machine, 1) == 1)
    Self.put(machine, Self.plic + Self.source * 4, 0)
    #expect(Self.wire(machine, 1) == 0)
  }

  @Test func aClaimDoesNotLookAtTheThreshold() throws {
    let (machine, _) = try Self.listening("a")
    Self.put(machine, Self.threshold(context: 2), 7)
    #expect(Self.wire(machine, 1) == 0)
    #expect(Self.get(machine, Self.claim(context: 2)) == Self.source)
    Self.put(machine, Self.claim(context: 2), Self.source)
    // A priority of 0 is never served.
    Self.put(machine, Self.plic + Self.source * 4, 0)
    #expect(Self.get(machine, Self.claim(context: 2)) == 0)
  }

  /// The line follows the transmitter's interrupt.
  private static func setLine(_ machine: Machine, _ isHigh: Bool) {
    _ = machine.bus.store(isHigh ? 2 : 0, at: uart + 1, width: 1)
  }

  @Test func aRequestOutlivesItsLineAndIsServedOnce() throws {
    let (machine, _) = try Self.listening()
    Self.setLine(machine, true)
    Self.setLine(machine, false)
    #expect(Self.wire(machine, 1) == 1)
    #expect(Self.get(machine, Self.plic + 0x1000) == 1 << Self.source)
    #expect(Self.get(machine, Self.claim(context: 2)) == Self.source)
    Self.put(machine, Self.claim(context: 2), Self.source)
    #expect(Self.wire(machine, 1) == 0)
    #expect(Self.get(machine, Self.claim(context: 2)) == 0)
  }

  @Test func aLineThatRoseAndFellWhileItsSourceWasServedIsForgotten() throws {
    let (machine, _) = try Self.listening()
    Self.setLine(machine, true)
    #expect(Self.get(machine, Self.claim(context: 2)) == Self.source)
    Self.setLine(machine, false)
    Self.setLine(machine, true)
    Self.setLine(machine, false)
    Self.put(machine, Self.claim(context: 2), Self.source)
    #expect(Self.wire(machine, 1) == 0)
  }

  @Test func anotherContextMayCompleteAndOtherNumbersDoNothing() throws {
    let (machine, _) = try Self.listening()
    Self.setLine(machine, true)
    #expect(Self.get(machine, Self.claim(context: 2)) == Self.source)
    for other in [0, 11, 96, 0xffff_ffff] as [UInt64] {
      Self.put(machine, Self.claim(context: 2), other)
      #expect(Self.wire(machine, 1) == 0)
    }
    Self.put(machine, Self.claim(context: 0), Self.source)
    #expect(Self.wire(machine, 1) == 1)
  }

  @Test func aRequestWhoseLineHasFallenTravels() throws {
    let (machine, _) = try Self.listening()
    Self.setLine(machine, true)
    Self.setLine(machine, false)
    let sections = MachineSections(machine: machine, cpus: Self.harts).save()
    let other = try board(harts: 2)
    try MachineSections(machine: other, cpus: Self.harts).restore(sections)
    #expect(Self.wire(other, 1) == 1)
    #expect(Self.get(other, Self.claim(context: 2)) == Self.source)
    // As an older build has it: the line alone says it.
    try MachineSections(machine: other, cpus: Self.harts).restore(sections.filter { $0.name != "devices" })
    #expect(Self.wire(other, 1) == 0)
  }

  @Test func theOtherModesContextInterruptsNobody() throws {
    let (machine, _) = try Self.listening("a")
    Self.put(machine, Self.enable(context: 2), 0)
    Self.put(machine, Self.enable(context: 3), 1 << Self.source)
    #expect(Self.get(machine, Self.enable(context: 3)) == 1 << Self.source)
    #expect(Self.wire(machine, 0) == 0)
    #expect(Self.wire(machine, 1) == 0)
  }

  @Test func registersKeepWhatTheyHaveRoomFor() throws {
    let machine = try board(harts: 2)
    Self.put(machine, Self.plic, 7)
    #expect(Self.get(machine, Self.plic) == 0)
    Self.put(machine, Self.plic + 95 * 4, 0xff)
    #expect(Self.get(machine, Self.plic + 95 * 4) == 7)
    Self.put(machine, Self.enable(context: 0), 0xffff_ffff)
    #expect(Self.get(machine, Self.enable(context: 0)) == 0xffff_fffe)
    // Sources, contexts and words that the board does not have.
    for offset in [96 * 4, 0x100c, 0x200c, 0x2000 + 4 * 0x80, 0x20_0008, 0x20_4000, 0x5f_f004] as [UInt64] {
      Self.put(machine, Self.plic + offset, 5)
      #expect(Self.get(machine, Self.plic + offset) == 0)
    }
  }

  @Test func inputWaitsUntilTheReceiverHasRoom() throws {
    let (machine, input) = try Self.listening("abcd")
    #expect(input.left == 3)
    let read = (0..<5).map { _ in machine.bus.load(Self.uart, width: 1) }
    #expect(read == [0x61, 0x62, 0x63, 0x64, 0x64])
    #expect(machine.bus.load(Self.uart + 5, width: 1) == 0x60)
    _ = machine.bus.store(1, at: Self.uart + 2, width: 1)
    input.type("0123456789abcdefXYZ")
    machine.uart.receive()
    #expect(input.left == 3)
    let text = (0..<19).map { _ in UInt8(machine.bus.load(Self.uart, width: 1) ?? 0) }
    #expect(String(decoding: text, as: UTF8.self) == "0123456789abcdefXYZ")
    #expect(machine.bus.load(Self.uart + 5, width: 1) == 0x60)
  }

  @Test func theTransmitterInterruptsUntilItIsIdentified() throws {
    let (machine, _) = try Self.listening()
    _ = machine.bus.store(2, at: Self.uart + 1, width: 1)
    #expect(Self.wire(machine, 1) == 1)
    #expect(machine.bus.load(Self.uart + 2, width: 1) == 2)
    // The port asks no more; its request is there until it is claimed.
    serve(machine)
    _ = machine.bus.store(0x41, at: Self.uart, width: 1)
    #expect(Self.wire(machine, 1) == 1)
    _ = machine.bus.store(0, at: Self.uart + 1, width: 1)
    serve(machine)
  }

  /// Claims and completes the one request that there is.
  private func serve(_ machine: Machine) {
    #expect(Self.wire(machine, 1) == 1)
    #expect(Self.get(machine, Self.claim(context: 2)) == Self.source)
    Self.put(machine, Self.claim(context: 2), Self.source)
    #expect(Self.wire(machine, 1) == 0)
  }

  private static let harts = [ParkedHart(hart: 0), ParkedHart(hart: 1)]

  @Test func pendingAndClaimedInterruptsTravel() throws {
    for isClaimed in [false, true] {
      let (machine, _) = try Self.listening("a")
      if isClaimed { #expect(Self.get(machine, Self.claim(context: 2)) == Self.source) }
      let other = try board(harts: 2)
      try MachineSections(machine: other, cpus: Self.harts).restore(
        MachineSections(machine: machine, cpus: Self.harts).save())
      #expect(Self.wire(other, 1) == (isClaimed ? 0 : 1))
      Self.put(other, Self.claim(context: 2), Self.source)
      #expect(Self.wire(other, 1) == 1)
      #expect(Self.get(other, Self.plic + Self.source * 4) == 3)
    }
  }

  @Test func aGuestWithoutInterruptsCarriesNone() throws {
    let machine = try board(harts: 2)
    let bare = MachineSections(machine: machine, cpus: Self.harts).save()
    #expect(!bare.contains { $0.name == "plic" })
    // It goes where there was something, and nothing of that is left.
    let (other, _) = try Self.listening("a")
    try MachineSections(machine: other, cpus: Self.harts).restore(bare)
    #expect(Self.wire(other, 1) == 0)
    #expect(Self.get(other, Self.plic + Self.source * 4) == 0)
    #expect(!MachineSections(machine: other, cpus: Self.harts).save().contains { $0.name == "plic" })
  }

  @Test func brokenStateIsRefusedAndChangesNothing() throws {
    let (machine, _) = try Self.listening("a")
    var writer = ByteWriter(capacity: 1024)
    machine.plic.save(to: &writer)
    let good = writer.bytes
    for (offset, byte) in [(0, 5), (2, 1), (2 + 10, 8), (2 + 96, 1), (2 + 108, 9), (2 + 109, 1)] {
      var bytes = good
      bytes[offset] = UInt8(byte)
      var reader = ByteReader(bytes)
      #expect(throws: StateError.self) { try machine.plic.restore(from: &reader, version: 1) }
    }
    for count in 0..<good.count {
      var reader = ByteReader(Array(good.prefix(count)))
      #expect(throws: StateError.self) { try machine.plic.restore(from: &reader, version: 1) }
    }
    var reader = ByteReader(good)
    #expect(throws: StateError.self) { try machine.plic.restore(from: &reader, version: 2) }
    #expect(Self.wire(machine, 1) == 1)
  }
}
