import FSRSystem
import FSRTestSupport
import Testing

@Suite struct WriterSearchTests {
  private static func search(_ file: borrowing OwnedDescriptor) throws -> WriterSearch {
    var search = WriterSearch()
    try search.look(for: file, token: 7)
    return search
  }

  @Test(arguments: [FileMode.append, .readWrite]) func whoeverElseWritesIsFoundByPidAndName(_ mode: FileMode)
    throws
  {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("file", .append)
    let search = try Self.search(file)
    var found = try search.writers()
    #expect(found.isEmpty)
    let other = try Sleeper(having: try place.directory.openFile("file", mode))
    found = try search.writers()
    #expect(found == [FileWriter(pid: other.pid, command: Sleeper.command, token: 7)])
    found = try search.writers(besides: [other.pid])
    #expect(found.isEmpty)
    other.end()
    found = try search.writers()
    #expect(found.isEmpty)
  }

  /// By another name, and without one.
  @Test func theFileCountsAndNotItsName() throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("file", .append)
    try place.directory.rename("file", to: "renamed", replacing: false)
    let other = try Sleeper(having: try place.directory.openFile("renamed", .append))
    try place.directory.unlink("renamed")
    _ = try place.directory.openFile("file", .append)
    let found = try Self.search(file).writers()
    #expect(found.map(\.pid) == [other.pid])
  }

  @Test func whoHasACopyOfTheSameOpeningIsNoOther() throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("file", .append)
    let holder = try Sleeper(having: file)
    let copy = try file.duplicate()
    let found = try Self.search(copy).writers()
    #expect(found.isEmpty, "\(holder.pid)")
  }

  @Test func whoReadsOrOnlyNamesTheFileIsNone() throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("file", .append)
    let reader = try Sleeper(having: try place.directory.openFile("file", .read))
    let namer = try Sleeper(having: try OwnedDescriptor.reference(to: place.path + "/file"))
    let found = try Self.search(file).writers()
    #expect(found.isEmpty, "\(reader.pid) \(namer.pid)")
  }

  @Test func onlyPlainFilesAreLookedFor() throws {
    let other = try Sleeper(having: try OwnedDescriptor.open("/dev/null", .readWrite))
    let found = try Self.search(try OwnedDescriptor.open("/dev/null", .readWrite)).writers()
    #expect(found.isEmpty, "\(other.pid)")
  }

  @Test func severalFilesAreToldApart() throws {
    let place = try TemporaryDirectory()
    let (one, two) = (
      Owned(try place.directory.openFile("one", .append)), Owned(try place.directory.openFile("two", .append))
    )
    var search = WriterSearch()
    try search.look(for: one.value, token: 1)
    try search.look(for: two.value, token: 2)
    let first = try Sleeper(having: try place.directory.openFile("one", .append))
    let second = try Sleeper(having: try place.directory.openFile("two", .append))
    let found = try search.writers()
    #expect(Set(found.map { [$0.pid, Int32($0.token)] }) == [[first.pid, 1], [second.pid, 2]])
  }

  @Test func whoHasSeveralOpeningsOfAFileIsToldOnce() throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("file", .append)
    let one = try place.directory.openFile("file", .append)
    let two = try place.directory.openFile("file", .readWrite)
    let other = try ChildProcess.spawn(
      executable: "/bin/sleep", arguments: ["sleep", "1000"], environment: [],
      inheriting: [.init(one.number, as: 5), .init(two.number, as: 6)])
    let found = try Self.search(file).writers()
    _ = try other.process.signal(SignalNumber.kill)
    _ = try other.process.waitForExit(timeout: nil)
    _ = try other.process.reap()
    #expect(found.map(\.pid) == [other.pid])
  }

  @Test func aLimitEndsTheSearchWithWhatItHas() throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("file", .append)
    let others = try (0..<3).map { _ in try Sleeper(having: try place.directory.openFile("file", .append)) }
    let search = try Self.search(file)
    var found = try search.writers()
    #expect(Set(found.map(\.pid)) == Set(others.map(\.pid)))
    for keyPath in [\WriterSearch.Limits.processes, \.descriptors] {
      var limits = WriterSearch.Limits()
      limits[keyPath: keyPath] = 0
      found = try search.writers(within: limits)
      #expect(found.isEmpty)
    }
    var limits = WriterSearch.Limits()
    limits.duration = 0
    found = try search.writers(within: limits)
    #expect(found.isEmpty)
    limits = WriterSearch.Limits()
    limits.writers = 1
    found = try search.writers(within: limits)
    #expect(found.count == 1)
    withExtendedLifetime(others) {}
  }

  @Test func whoIsAboutToCloseItIsWaitedFor() async throws {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("file", .append)
    let other = try Sleeper(having: try place.directory.openFile("file", .append))
    let search = try Self.search(file)
    let thread = try OSThread.start(name: "ender") { other.end() }
    let found = try search.writers(timeout: 60_000_000_000)
    #expect(found.isEmpty)
    thread.join()
  }

  @Test func noDescriptorStaysBehind() async {
    await #expect(processExitsWith: .success) {
      let place = try TemporaryDirectory()
      let file = try place.directory.openFile("file", .append)
      let areClosed = try OpenDescriptors.areClosed { _ = try WriterSearchTests.search(file).writers() }
      #expect(areClosed)
    }
  }
}
