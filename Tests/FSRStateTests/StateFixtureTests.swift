import FSRState
import FSRTestSupport
import Testing

/// Manifests and checkpoints as they were written once.
@Suite struct StateFixtureTests {
  private static let machine = MachineIdentity(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)

  static let manifests = [
    Sample(
      "manifest-bare.hex",
      Manifest(
        name: "a", machine: machine, slots: [], memory: [], sections: [], checkpointCapacity: 1,
        executable: "", arguments: [])),
    Sample(
      "manifest-full.hex",
      Manifest(
        name: "größer", machine: machine, slots: ["memory", "console", Manifest.executableSlot],
        memory: [
          Manifest.Memory(slot: 0, size: 1 << 20, guestAddress: 0x8000_0000),
          Manifest.Memory(slot: 1, size: 4096, guestAddress: 0),
        ],
        sections: [
          StateSection(name: "configuration", version: 1, payload: [1, 2, 3]),
          StateSection(name: "threads", version: 0x0203, isNeeded: false, payload: []),
        ], checkpointCapacity: 69632, executable: "/proc/self/exe", arguments: ["fsr", "vmm", "größer"])),
  ]

  @Test(arguments: manifests) func aManifestIsWrittenAsEver(_ manifest: Sample<Manifest>) throws {
    #expect(try Fixture(manifest.name).difference(from: manifest.value.encoded) == nil)
  }

  @Test(arguments: manifests) func aManifestIsReadForGood(_ manifest: Sample<Manifest>) throws {
    #expect(try Manifest(decoding: Fixture(manifest.name).bytes()) == manifest.value)
  }

  private static let sections = [
    StateSection(name: "clock", version: 1, payload: [8, 7, 6, 5, 4, 3, 2, 1]),
    StateSection(name: "hart.7", version: 0x0102, payload: []),
    StateSection(name: "hart.15", version: .max, payload: [UInt8](repeating: 0xaa, count: 20)),
    StateSection(name: "devices", version: 1, isNeeded: false, payload: [9]),
    StateSection(name: "a-later-one", version: 3, isNeeded: false, payload: [1, 0]),
  ]

  /// Written in every way that there is: with an index, without, and passed on.
  private static func written() -> [UInt8] {
    var writer = CheckpointWriter(machine: machine, attempt: 0x0a0b_0c0d, capacity: 64)
    writer.section("clock", version: 1) { $0.write(UInt64(0x0102_0304_0506_0708)) }
    writer.section("hart", index: 7, version: 0x0102) { _ in }
    writer.section("hart", index: 15, version: .max) {
      $0.write(raw: [UInt8](repeating: 0xaa, count: 20))
    }
    writer.section("devices", version: 1, isNeeded: false) { $0.write(UInt8(9)) }
    writer.passOn(sections[4])
    return writer.bytes
  }

  @Test func aCheckpointIsWrittenAsEver() throws {
    #expect(try Fixture("checkpoint.hex").difference(from: Self.written()) == nil)
    let empty = CheckpointWriter(machine: Self.machine, attempt: 1, capacity: 0)
    #expect(try Fixture("checkpoint-empty.hex").difference(from: empty.bytes) == nil)
  }

  @Test func aCheckpointIsReadForGood() throws {
    let full = try Checkpoint(decoding: Fixture("checkpoint.hex").bytes())
    #expect(full == Checkpoint(machine: Self.machine, attempt: 0x0a0b_0c0d, sections: Self.sections))
    let empty = try Checkpoint(decoding: Fixture("checkpoint-empty.hex").bytes())
    #expect(empty == Checkpoint(machine: Self.machine, attempt: 1, sections: []))
  }

  @Test func aChecksumIsWhatItEverWas() throws {
    let bytes = try Fixture("checkpoint.hex").bytes()
    #expect(Checksum.of([]) == 17_230_325_066_735_467_890)
    #expect(Checksum.of(bytes) == 16_614_334_034_067_024_470)
  }
}
