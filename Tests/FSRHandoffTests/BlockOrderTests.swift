import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What is written behind what in a block: another process reads as soon as the last of it is there.
@Suite struct BlockOrderTests {
  /// The documented places.
  private enum Place {
    static let complete: UInt64 = 128
    static let length: UInt64 = 136
    static let checksum: UInt64 = 144
    static let asker: UInt64 = 280
    static let destination: UInt64 = 2048
    static let count: UInt64 = 48
    static let numbers: UInt64 = 52
    static let path: UInt64 = 320
    static let reason: UInt64 = 4096 + 512
  }

  /// The offsets of the stores of `body` into a new block; those of one wide store are one.
  private static func stores(_ body: (ControlBlock) -> Void) throws -> [UInt64]? {
    let fixture = try BlockFixture()
    let block = try fixture.makeBlock(1)
    return try StoreWatch.stores(into: fixture.temporary.path + "/1") { body(block) }
  }

  @Test func completeIsSaidLast() throws {
    guard let stores = try Self.stores({ $0.complete(length: 10, checksum: 20) }) else { return }
    // In whichever order, or in one wide store, but ahead of it.
    #expect(stores.last == Place.complete && stores.filter { $0 == Place.complete }.count == 1)
    #expect(Set(stores.dropLast()).isSubset(of: [Place.length, Place.checksum]) && stores.count >= 2)
  }

  @Test func theCountOfDescriptorsIsSaidLast() throws {
    let party = Place.destination
    guard let stores = try Self.stores({ $0.holdDescriptors(.destination, numbers: [7, 8, 9]) }) else {
      return
    }
    #expect(stores.last == party + Place.count && stores.count >= 2)
    #expect(stores.dropLast().allSatisfy { $0 >= party + Place.numbers && $0 < party + Place.numbers + 12 })
  }

  @Test func aPartyIsNamedOnceAllOfItIsThere() throws {
    let party = Place.destination
    guard let stores = try Self.stores({ $0.enroll(.destination, as: .current()) }) else { return }
    // Taken back first: nobody reads a mixture of two.
    #expect(stores.first == party && stores.last == party)
    #expect(stores.filter { $0 == party }.count == 2)
    #expect(stores.contains(party + Place.count))
  }

  @Test func aReasonHasItsLengthLast() throws {
    guard
      let stores = try Self.stores({
        $0.explain(.destination, Reason("it is so", remedy: "allow more", code: .deadline))
      })
    else { return }
    #expect(stores.first == Place.reason && stores.last == Place.reason)
    #expect(stores.filter { $0 == Place.reason }.count == 2)
    #expect(stores.contains(Place.reason + 504))
  }

  @Test func aPathAndWhoAskedAreSaidLast() throws {
    let path = Place.destination + Place.path
    let written = try Self.stores { $0.noteExecutable("/usr/bin/fsr", of: .destination) }
    let asked = try Self.stores { $0.noteAsker(pid: 7, user: 8) }
    guard let written, let asked else { return }
    #expect(written.last == path && written.dropLast().allSatisfy { $0 > path } && written.count >= 2)
    #expect(asked.last == Place.asker && asked.dropLast().allSatisfy { $0 > Place.asker } && asked.count >= 2)
  }
}
