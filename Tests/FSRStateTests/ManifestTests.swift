import FSRState
import FSRTestSupport
import Testing

@Suite struct ManifestTests {
  static func sample() -> Manifest {
    Manifest(
      name: "web-1", machine: MachineIdentity(high: 1, low: .max), slots: ["ram", "console", "tap0"],
      memory: [
        Manifest.Memory(slot: 0, size: 64 << 20, guestAddress: 0x8000_0000),
        Manifest.Memory(slot: 0, size: 4096, guestAddress: 0),
      ],
      sections: [
        StateSection(name: "board", version: 2, payload: [1, 2, 3]),
        StateSection(name: "later", version: 1, isNeeded: false, payload: []),
      ],
      checkpointCapacity: 1 << 20, executable: "/usr/bin/fsr", arguments: ["fsr", "vmm", "größer", ""])
  }

  static func changed(_ change: (inout Manifest) -> Void) -> [UInt8] {
    var manifest = sample()
    change(&manifest)
    return manifest.encoded
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let read = try Manifest(decoding: Self.sample().encoded)
    #expect(read == Self.sample())
    #expect(try read.section("board").payload == [1, 2, 3])
    #expect(throws: StateError.missingSection("none")) { try read.section("none") }
  }

  @Test func anEmptyOneIsReadBack() throws {
    let empty = Manifest(
      name: "", machine: MachineIdentity(high: 0, low: 0), slots: [], memory: [], sections: [],
      checkpointCapacity: 1, executable: "", arguments: [])
    #expect(try Manifest(decoding: empty.encoded) == empty)
  }

  @Test func everyTruncationIsRefused() {
    let bytes = Self.sample().encoded
    // Where a cut falls between two fields, one that is needed, or a list, is missing; the last is a list.
    for count in bytes.indices {
      if let read = try? Manifest(decoding: Array(bytes[..<count])) { #expect(read.arguments.isEmpty) }
    }
    #expect(throws: StateError.self) { try Manifest(decoding: []) }
  }

  @Test func aFieldThatIsNotKnownIsSkipped() throws {
    var later = FieldWriter()
    later.put(999, "something new")
    #expect(try Manifest(decoding: Self.sample().encoded + later.bytes) == Self.sample())
  }

  @Test func aFieldThatComesTwiceIsRefused() {
    var again = FieldWriter()
    again.put(1, "other name")
    #expect(throws: StateError.invalid("field that comes twice", 1)) {
      try Manifest(decoding: Self.sample().encoded + again.bytes)
    }
  }

  @Test func memoryMustHaveItsSlotAndASize() {
    let bad: [Manifest.Memory] = [
      .init(slot: 3, size: 4096, guestAddress: 0), .init(slot: 0, size: 0, guestAddress: 0),
      .init(slot: 0, size: (1 << 52) + 1, guestAddress: 0), .init(slot: 0, size: 4096, guestAddress: .max),
    ]
    for memory in bad {
      #expect(throws: StateError.self) {
        try Manifest(decoding: Self.changed { $0.memory = [memory] })
      }
    }
  }

  @Test func limitsAreInclusive() throws {
    _ = try Manifest(
      decoding: Self.changed {
        $0.name = String(repeating: "n", count: Manifest.nameLimit)
        $0.slots = (0..<Manifest.slotLimit).map { "slot\($0)" }
        $0.memory = (0..<Manifest.memoryLimit).map { .init(slot: $0, size: 4096, guestAddress: 0) }
        $0.arguments = Array(repeating: "a", count: Manifest.argumentLimit)
        $0.executable = String(repeating: "x", count: Manifest.textLimit)
        $0.checkpointCapacity = Manifest.checkpointLimit
      })
    let tooMuch: [[UInt8]] = [
      Self.changed { $0.name = String(repeating: "n", count: Manifest.nameLimit + 1) },
      Self.changed { $0.slots = Array(repeating: "s", count: Manifest.slotLimit + 1) },
      Self.changed { $0.slots[0] = String(repeating: "s", count: Manifest.nameLimit + 1) },
      Self.changed {
        $0.memory = Array(
          repeating: .init(slot: 0, size: 1, guestAddress: 0), count: Manifest.memoryLimit + 1)
      },
      Self.changed { $0.arguments = Array(repeating: "a", count: Manifest.argumentLimit + 1) },
      Self.changed { $0.arguments = [String(repeating: "a", count: Manifest.textLimit + 1)] },
      Self.changed { $0.executable = String(repeating: "x", count: Manifest.textLimit + 1) },
      Self.changed { $0.checkpointCapacity = Manifest.checkpointLimit + 1 },
      Self.changed { $0.checkpointCapacity = 0 },
      Self.changed {
        $0.sections = [StateSection(name: String(repeating: "s", count: 33), version: 1, payload: [])]
      },
      [UInt8](repeating: 0, count: Manifest.sizeLimit + 1),
    ]
    for bytes in tooMuch { #expect(throws: StateError.self) { try Manifest(decoding: bytes) } }
  }

  @Test func mutationsAreReadOrRefused() {
    var chance = SeededGenerator(seed: 3)
    let bytes = Self.sample().encoded
    for _ in 0..<20_000 {
      guard let read = try? Manifest(decoding: chance.mutate(bytes)) else { continue }
      #expect(read.memory.allSatisfy { $0.slot < read.slots.count && $0.size > 0 })
      #expect(read.checkpointCapacity > 0 && read.checkpointCapacity <= Manifest.checkpointLimit)
    }
  }
}
