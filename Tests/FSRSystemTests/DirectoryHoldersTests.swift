import FSRSystem
import FSRTestSupport
import Testing

/// Each in a process of its own: another test's child has all that its parent has open until it executes its program.
@Suite struct DirectoryHoldersTests {
  @Test func whoHasADirectoryOpenIsFoundWithItsArguments() async {
    await #expect(processExitsWith: .success) {
      let place = try TemporaryDirectory()
      let folder = try Directory.open(place.path)
      // This process has it open, too.
      #expect(try folder.holders().isEmpty)
      let holder = try Sleeper(having: folder.descriptor)
      var found = try folder.holders()
      // A program that has only just been executed has no arguments yet.
      while found.first?.arguments == [""] { found = try folder.holders() }
      #expect(found.map(\.identity) == [holder.identity])
      #expect(found.map { Array($0.arguments.prefix(2)) } == [["sleep", "1000"]])
      holder.end()
      #expect(try folder.holders().isEmpty)
    }
  }

  @Test func whatLiesInItIsNotIt() async {
    await #expect(processExitsWith: .success) {
      let place = try TemporaryDirectory()
      let holder = try Sleeper(having: try place.directory.openFile("file", .append))
      try place.directory.make("inner")
      let other = try Sleeper(having: try Directory.open("inner", in: place.directory).descriptor)
      #expect(try place.directory.holders().isEmpty, "\(holder.pid) \(other.pid)")
    }
  }

  @Test func aDirectoryThatWasRemovedHasItsHoldersStill() async {
    await #expect(processExitsWith: .success) {
      let place = try TemporaryDirectory()
      try place.directory.make("gone")
      let folder = try Directory.open("gone", in: place.directory)
      let holder = try Sleeper(having: folder.descriptor)
      try place.directory.removeDirectory("gone")
      #expect(try folder.holders().map(\.identity) == [holder.identity])
    }
  }
}
