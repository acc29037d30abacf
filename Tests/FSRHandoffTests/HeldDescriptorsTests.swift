import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

@Suite struct HeldDescriptorsTests {
  /// How the descriptors of a guest are not what they should be.
  enum Flaw: CaseIterable {
    case none, noDescriptors, manifestAlone, slotMissing, slotTooMany, manifestIsAFile, checkpointIsAFile,
      checkpointTooSmall, checkpointTooLarge, manifestTooLarge, manifestIsNoise, manifestIsEmpty
  }

  static let capacity: UInt64 = 64 << 10

  static func manifest() -> Manifest {
    Manifest(
      name: "vm", machine: BlockFixture.machine, slots: ["ram", "console"],
      memory: [.init(slot: 0, size: 4096, guestAddress: 0)], sections: [], checkpointCapacity: capacity,
      executable: "/bin/fsr", arguments: ["fsr"])
  }

  static func sealed(_ bytes: [UInt8]) throws -> OwnedDescriptor {
    let memory = try Memfd.create(name: "test-manifest", size: UInt64(bytes.count))
    try memory.write(bytes, at: 0)
    return memory
  }

  static func file(_ bytes: [UInt8], size: UInt64, in directory: borrowing Directory) throws
    -> OwnedDescriptor
  {
    let file = try directory.openFile("file", .readWriteCreating)
    try file.write(bytes, at: 0)
    try file.truncate(to: size)
    return file
  }

  static func bag(_ flaw: Flaw, in directory: borrowing Directory) throws -> DescriptorBag {
    var bag = DescriptorBag()
    if flaw == .noDescriptors { return bag }
    let encoded = manifest().encoded
    switch flaw {
    case .manifestIsAFile: bag.append(try file(encoded, size: UInt64(encoded.count), in: directory))
    case .manifestTooLarge:
      bag.append(try Memfd.create(name: "test-manifest", size: UInt64(Manifest.sizeLimit) + 4096))
    case .manifestIsNoise: bag.append(try sealed(Array(encoded.reversed())))
    case .manifestIsEmpty: bag.append(try Memfd.create(name: "test-manifest", size: 0))
    default: bag.append(try sealed(encoded))
    }
    if flaw == .manifestAlone { return bag }
    switch flaw {
    case .checkpointIsAFile: bag.append(try file([], size: capacity, in: directory))
    case .checkpointTooSmall: bag.append(try Memfd.create(name: "test-checkpoint", size: capacity - 4096))
    case .checkpointTooLarge: bag.append(try Memfd.create(name: "test-checkpoint", size: capacity + 4096))
    default: bag.append(try Memfd.create(name: "test-checkpoint", size: capacity))
    }
    let slots = flaw == .slotMissing ? 1 : flaw == .slotTooMany ? 3 : 2
    for _ in 0..<slots { bag.append(try Memfd.create(name: "test-slot", size: 4096)) }
    return bag
  }

  @Test(arguments: Flaw.allCases.filter { $0 != .none })
  func aFlawIsRefused(_ flaw: Flaw) throws {
    let temporary = try TemporaryDirectory()
    #expect(throws: HandoffError.self) {
      _ = try HeldDescriptors(try Self.bag(flaw, in: temporary.directory))
    }
  }

  @Test func wholeCopiesAreTakenAndGivenOn() throws {
    let temporary = try TemporaryDirectory()
    let bag = try Self.bag(.none, in: temporary.directory)
    let numbers = bag.numbers
    let copies = try HeldDescriptors(bag)
    #expect(copies.manifest == Self.manifest())
    #expect(copies.numbers == numbers)
    let checkpointNumber = copies.checkpoint.number
    #expect(checkpointNumber == numbers[1])

    let slots = try copies.duplicateSlots()
    let slotCount = slots.count
    #expect(slotCount == 2)
    let again = try HeldDescriptors(try copies.duplicate())
    #expect(again.manifest == copies.manifest)
    #expect(Set(again.numbers).isDisjoint(with: numbers))
    let released = copies.release()
    let releasedNumbers = released.numbers
    #expect(releasedNumbers == numbers)
  }

  @Test func noDescriptorStaysBehindWhateverCame() async {
    await #expect(processExitsWith: .success) {
      let temporary = try TemporaryDirectory()
      for flaw in Flaw.allCases {
        let areClosed = try OpenDescriptors.areClosed {
          let bag = try Self.bag(flaw, in: temporary.directory)
          guard let copies = try? HeldDescriptors(bag) else { return }
          let second = try copies.duplicate()
          _ = try? HeldDescriptors(second)
        }
        #expect(areClosed, "\(flaw)")
      }
    }
  }
}
