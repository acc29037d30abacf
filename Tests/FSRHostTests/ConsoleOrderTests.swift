import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What is written behind what in a console's memory, which clients read while the guest prints.
@Suite(.serialized) struct ConsoleOrderTests {
  private static func stores(_ body: (ConsoleBuffer) -> Void) throws -> [UInt64]? {
    let memory = try Memfd.create(name: "fsr-order", size: ConsoleLayout.size)
    let buffer = try ConsoleBuffer(adopting: memory)
    return try StoreWatch.stores(into: "memfd:fsr-order") { body(buffer) }
  }

  /// Who has read a byte sees that the one before it in its place is gone; who has read the count finds the byte.
  @Test func aByteIsAnnouncedThenThereThenCounted() throws {
    guard let stores = try Self.stores({ $0.write(65) }) else { return }
    #expect(
      Array(stores.prefix(3)) == [ConsoleLayout.writing, ConsoleLayout.outputRing, ConsoleLayout.written])
    #expect(
      stores.dropFirst(3).allSatisfy { $0 >= ConsoleLayout.outputBell && $0 < ConsoleLayout.outputBell + 64 })
  }

  @Test func anEndHasItsLengthBehindItsWords() throws {
    guard let stores = try Self.stores({ $0.end = .reset }) else { return }
    let length = try #require(stores.firstIndex(of: ConsoleLayout.end))
    #expect(length > 0 && stores[..<length].allSatisfy { $0 > ConsoleLayout.end })
    #expect(!stores[(length + 1)...].contains { $0 >= ConsoleLayout.end && $0 < ConsoleLayout.paused })
  }
}
