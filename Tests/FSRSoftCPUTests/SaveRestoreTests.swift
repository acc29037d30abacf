import FSRGuestSupport
import FSRMachine
import FSRMemory
import FSRSoftCPU
import FSRState
import FSRTestSupport
import Testing

@Suite struct SaveRestoreTests {
  /// Two harts in turns, in one thread, with a clock that only the test moves: every run is the same run.
  private static func turn(_ rig: GuestRig, _ clock: ManualClock, _ turns: Int) -> [CPUExit] {
    (0..<turns).flatMap { _ in
      clock.advance(by: 50)
      return rig.cpus.map { $0.run(budget: 1234) }
    }
  }

  private static func all(_ rig: GuestRig) -> [StateSection] { rig.sections.save() }

  @Test func aGuestThatMovesOftenDoesWhatAnUndisturbedOneDoes() throws {
    let stillClock = ManualClock()
    let still = try GuestRig(SoakGuestImage.bytes, harts: 2, megabytes: 1, clock: stillClock)
    let movedClock = ManualClock()
    var moved = try GuestRig(SoakGuestImage.bytes, harts: 2, megabytes: 1, clock: movedClock)
    var printed = ""
    for _ in 0..<40 {
      let one = Self.turn(still, stillClock, 37)
      let other = Self.turn(moved, movedClock, 37)
      #expect(one == other)
      #expect(Self.all(still) == Self.all(moved))
      printed += moved.console.text
      let next = try GuestRig(memory: moved.memory, harts: 2, clock: movedClock)
      try next.sections.restore(Self.all(moved))
      #expect(Self.all(next) == Self.all(moved))
      moved = next
    }
    printed += moved.console.text
    #expect(printed == still.console.text)
    let ram = Int(still.memory.size)
    #expect(still.memory.bytes(at: 0, count: ram) == moved.memory.bytes(at: 0, count: ram))
    let statistics = try #require(SoakStatistics(of: moved.machine))
    #expect(statistics == SoakStatistics(of: still.machine))
    #expect(statistics.harts.allSatisfy { $0.errors == 0 && $0.ticks > 0 })
  }

  @Test func hartsOnThreadsGoOnInAnotherMachineOverTheSameMemory() throws {
    let clock = HostClock()
    var rig = try GuestRig(SoakGuestImage.bytes, harts: 4, megabytes: 1, clock: clock)
    for round in 1...5 {
      let machine = rig.machine
      let end = rig.runThreads {
        (SoakStatistics(of: machine)?.harts.map(\.passes).min() ?? 0) >= UInt64(2 * round)
      }
      #expect(end == nil)
      let instructions = rig.cpus.map(\.instructions)
      let next = try GuestRig(memory: rig.memory, harts: 4, clock: clock)
      try next.sections.restore(rig.sections.save())
      #expect(next.cpus.map(\.instructions) == instructions)
      rig = next
    }
    let statistics = try #require(SoakStatistics(of: rig.machine))
    #expect(statistics.harts.allSatisfy { $0.errors == 0 && $0.passes >= 10 })
  }

  @Test func sectionsAreNamedAndComplete() throws {
    let rig = try GuestRig(SoakGuestImage.bytes, harts: 3)
    #expect(
      rig.sections.names == ["board", "clint", "uart", "plic", "hart.0", "hart.1", "hart.2", "devices"])
    for section in rig.sections.save() { #expect(section.payload.count <= MachineSections.payloadLimit) }
  }

  @Test func aMissingOrDoubleSectionIsRefused() throws {
    let rig = try GuestRig(SoakGuestImage.bytes)
    let sections = rig.sections.save()
    #expect(throws: StateError.missingSection("hart.0")) {
      try rig.sections.restore(Array(sections.dropLast()))
    }
    #expect(throws: StateError.duplicateSection("uart")) {
      try rig.sections.restore(sections + [sections[2]])
    }
  }

  @Test func sectionsOfOthersAreLeftToOthers() throws {
    let rig = try GuestRig(SoakGuestImage.bytes)
    let other = StateSection(name: "pager", version: 9, payload: [1])
    try rig.sections.restore(rig.sections.save() + [other])
    let taken = try rig.sections.restore(other)
    #expect(!taken)
  }

  @Test func anotherMachinesSectionsAreRefused() throws {
    let two = try GuestRig(SoakGuestImage.bytes, harts: 2)
    let four = try GuestRig(SoakGuestImage.bytes, harts: 4)
    let large = try GuestRig(SoakGuestImage.bytes, harts: 2, megabytes: 2)
    #expect(throws: StateError.invalid("hart count", 2)) { try four.sections.restore(two.sections.save()) }
    #expect(throws: StateError.invalid("RAM size", 1 << 20)) {
      try large.sections.restore(two.sections.save())
    }
  }

  @Test func everyTruncationAndEveryUnknownVersionIsRefused() throws {
    let rig = try GuestRig(SoakGuestImage.bytes)
    for section in rig.sections.save() {
      for count in section.payload.indices {
        let short = StateSection(
          name: section.name, version: section.version, payload: Array(section.payload[..<count]))
        #expect(throws: StateError.self) { try rig.sections.restore(short) }
      }
      let long = StateSection(name: section.name, version: section.version, payload: section.payload + [0])
      #expect(throws: StateError.trailing(1)) { try rig.sections.restore(long) }
      for version in [UInt16(0), 2, .max] {
        let other = StateSection(name: section.name, version: version, payload: section.payload)
        #expect(throws: StateError.sectionVersion(section.name, has: version, reads: 1)) {
          try rig.sections.restore(other)
        }
      }
    }
  }

  @Test func hostileBytesAreRefusedOrGiveAGuestThatRunsIntoItsOwnFaults() throws {
    let rig = try GuestRig(SoakGuestImage.bytes)
    var random = SystemRandomNumberGenerator()
    let sections = rig.sections.save()
    var refused = 0
    for round in 0..<20_000 {
      let section = sections[round % sections.count]
      var payload = section.payload
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        payload[Int.random(in: payload.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let hostile = StateSection(name: section.name, version: section.version, payload: payload)
      do {
        _ = try rig.sections.restore(hostile)
        _ = rig.run(300)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 0)
  }

  @Test func aRegisterThatCannotHoldItsValueIsRefused() throws {
    let rig = try GuestRig(SoakGuestImage.bytes)
    let hart = rig.sections.save()[3]
    // hart number, odd pc, mstatus, mie, mtvec, mepc, waiting: the bytes that must not be all ones.
    for field in [0, 2, 258, 266, 274, 290, 338] {
      var payload = hart.payload
      payload[field] = 0xff
      let hostile = StateSection(name: hart.name, version: hart.version, payload: payload)
      #expect(throws: StateError.self) { try rig.sections.restore(hostile) }
    }
  }
}
