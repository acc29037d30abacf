import FSRClient
import FSRHandoff
import FSRHost
import FSRState
import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// Which folders count as a VM's, and what of them is removed.
@Suite struct VMFolderTests {
  private static func runtime(_ place: borrowing TemporaryDirectory) throws -> RuntimeDirectory {
    try RuntimeDirectory.open(place.path, creating: false)
  }

  /// The kind of the refusal of `name`; nil where it is taken for a VM's.
  private static func refusal(_ name: String, _ place: borrowing TemporaryDirectory) throws -> VMError.Kind? {
    do {
      _ = try runtime(place).vm(name)
      return nil
    } catch let error as VMError {
      #expect(error.description.contains(name))
      return error.kind
    }
  }

  private static func expect(_ kind: VMError.Kind?, of name: String, _ place: borrowing TemporaryDirectory)
    throws
  {
    let found = try refusal(name, place)
    #expect(found == kind, "\(name)")
  }

  private static func expect(names: [String], _ place: borrowing TemporaryDirectory) throws {
    let found = try runtime(place).names()
    #expect(found == names)
  }

  private static func expect(entries: [String], in folder: borrowing Directory) throws {
    let found = try folder.names(limit: 10).sorted()
    #expect(found == entries.sorted())
  }

  /// A folder `name` with what `fill` puts in it, where `body` looks; it is gone afterwards.
  private static func with(
    _ name: String, in place: borrowing TemporaryDirectory, _ fill: (borrowing Directory) throws -> Void,
    _ body: (borrowing Directory) throws -> Void
  ) throws {
    try place.directory.make(name)
    let folder = try Directory.open(name, in: place.directory)
    try fill(folder)
    try body(folder)
    for entry in try folder.names(limit: 10_000) {
      if (try? folder.unlink(entry)) == nil { try folder.removeDirectory(entry) }
    }
    try place.directory.removeDirectory(name)
  }

  private static func put(_ names: [String], _ folder: borrowing Directory, _ bytes: [UInt8] = [1]) throws {
    for name in names { try folder.openFile(name, .createNew).write(bytes) }
  }

  private static let mark = Array("fsr VM 1\n".utf8)

  @Test(arguments: [["thesis.tex"], ["log"], ["lock", "thesis.tex"], ["history", "log"], ["ended"], ["vm"]])
  func foldersOfOthersAreNone(names: [String]) throws {
    let place = try TemporaryDirectory(under: "/tmp")
    try Self.with(
      "docs", in: place, { try Self.put(names, $0) },
      { folder in
        try Self.expect(.noSuchVM, of: "docs", place)
        try Self.expect(names: [], place)
        try Self.expect(entries: names.sorted(), in: folder)
      })
  }

  @Test func aMarkTellsAVMsFolderWhateverElseIsInIt() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    try Self.with(
      "web", in: place,
      {
        try Self.put(["vm"], $0, Self.mark)
        try Self.put(["thesis.tex"], $0)
      },
      { _ in
        try Self.expect(nil, of: "web", place)
        try Self.expect(names: ["web"], place)
      })
  }

  /// Builds that made no mark are known by what only fsr makes.
  @Test(arguments: ["lock", "socket", "link", "blocks"]) func whatOlderBuildsHaveMadeIsKnown(trace: String)
    throws
  {
    let place = try TemporaryDirectory(under: trace == "blocks" ? "/dev/shm" : "/tmp")
    try Self.with(
      "web", in: place,
      { folder in
        try Self.put(["log"], folder)
        switch trace {
        case "lock": try Self.put(["lock"], folder, Array(repeating: 0, count: 40))
        case "socket": _ = try UnixSocket.listen(in: folder, name: "control.sock")
        case "link": try folder.symlink("blocks", to: "/dev/shm/fsr-0-0123456789abcdef")
        default: try folder.make("blocks")
        }
      },
      { folder in
        try Self.expect(nil, of: "web", place)
        try Self.expect(names: ["web"], place)
        try Self.put(["thesis.tex"], folder)
        try Self.expect(.noSuchVM, of: "web", place)
      })
  }

  /// Of a VM that runs, which an older build has started: what somebody has put beside it hides it from nobody.
  @Test func twoTracesMakeUpForWhatIsNotFsrs() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    try Self.with(
      "web", in: place,
      { folder in
        try Self.put(["lock"], folder, Array(repeating: 0, count: 40))
        _ = try UnixSocket.listen(in: folder, name: "control.sock")
        try Self.put(["thesis.tex"], folder)
      },
      { _ in
        try Self.expect(nil, of: "web", place)
        try Self.expect(names: ["web"], place)
      })
  }

  @Test func whatIsEmptyIsAVMsWhereItLooksAsIfMadeForOne() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    try Self.with(
      "web", in: place, { _ in },
      { folder in
        try Self.expect(nil, of: "web", place)
        try Self.expect(names: [], place)
        fchmod(folder.number, 0o755)
        try Self.expect(.noSuchVM, of: "web", place)
      })
  }

  @Test func whatIsNoFolderOfTheOwnersIsNone() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let other = try TemporaryDirectory(under: "/tmp")
    try Self.put(["vm"], other.directory, Self.mark)
    try place.directory.symlink("web", to: other.path)
    try Self.put(["file"], place.directory)
    for name in ["web", "file", "absent"] { try Self.expect(.noSuchVM, of: name, place) }
    try Self.expect(names: [], place)
    guard geteuid() == 0 else {
      try OwnedDescriptor.standardError().write(Array("SKIPPED: another user's folder: not root\n".utf8))
      return
    }
    try Self.with(
      "gift", in: place, { try Self.put(["vm"], $0, Self.mark) },
      { folder in
        fchown(folder.number, 12345, 12345)
        try Self.expect(.noSuchVM, of: "gift", place)
      })
  }

  /// A pipe, a link and a folder in the mark's place are none, and nothing waits for them.
  @Test(.timeLimit(.minutes(5))) func whatIsInTheMarksPlaceIsLookedAtFirst() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let other = try TemporaryDirectory(under: "/tmp")
    try Self.put(["vm"], other.directory, Self.mark)
    try Self.with(
      "pipe", in: place, { _ in _ = unsafe mkfifo(place.path + "/pipe/vm", 0o600) },
      { _ in
        try Self.expect(.noSuchVM, of: "pipe", place)
      })
    try Self.with(
      "link", in: place, { try $0.symlink("vm", to: other.path + "/vm") },
      { _ in
        try Self.expect(.noSuchVM, of: "link", place)
      })
    try Self.with(
      "folder", in: place, { try $0.make("vm") },
      { _ in
        try Self.expect(.noSuchVM, of: "folder", place)
      })
    try Self.with(
      "huge", in: place, { try Self.put(["vm"], $0, Self.mark + Array(repeating: 10, count: 1 << 16)) },
      { _ in
        try Self.expect(.noSuchVM, of: "huge", place)
      })
  }

  @Test func whatIsOursGoesAndTheRestStaysAndIsSaid() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let other = try TemporaryDirectory()
    try Self.put(["1", "secret"], other.directory)
    try Self.with(
      "web", in: place,
      { folder in
        try Self.put(["vm"], folder, Self.mark)
        try Self.put(["log", "history", "thesis.tex"], folder)
        try folder.make("ended")
      },
      { folder in
        let said = try Self.stop("web", place)
        #expect(said?.contains("thesis.tex") == true && said?.contains("ended") == true)
        #expect(said?.contains("rm") == false, "nobody is told to remove what is not fsr's: \(said ?? "")")
        try Self.expect(entries: ["ended", "thesis.tex"], in: folder)
        try Self.expect(.noSuchVM, of: "web", place)
      })
  }

  /// A link to blocks that fsr has not made is not followed, whatever lies there.
  @Test func aLinkToBlocksLeadsNowhereElse() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let other = try TemporaryDirectory()
    try Self.put(["1", "secret"], other.directory)
    for target in [
      other.path, "/dev/shm/../\(other.path)", "/dev/shm/fsr-test", "fsr-0-1", "/dev/shm/fsr-0-1/..",
    ] {
      try Self.with(
        "web", in: place,
        {
          try Self.put(["vm"], $0, Self.mark)
          try $0.symlink("blocks", to: target)
        },
        { folder in
          let said = try Self.stop("web", place)
          #expect(said?.contains("blocks") == true)
          try Self.expect(entries: ["1", "secret"], in: other.directory)
          let isThere = try folder.exists("blocks")
          #expect(isThere)
        })
    }
  }

  /// Ends the VM; answers why not, or what is left.
  private static func stop(_ name: String, _ place: borrowing TemporaryDirectory) throws -> String? {
    do {
      try VMClient.stop(try runtime(place).vm(name))
      return nil
    } catch let error as VMError { return error.description }
  }

  /// Whoever may write the blocks may name any process in them.
  @Test(.enabled(if: geteuid() == 0, "only root gives folders away"))
  func aStopEndsNobodyElsesProcess() throws {
    let place = try TemporaryDirectory()
    let sleeper = try Sleeper()
    try Self.with(
      "web", in: place,
      { folder in
        try Self.put(["vm"], folder, Self.mark)
        try folder.make("blocks")
        let blocks = try BlockDirectory(try Directory.open("blocks", in: folder))
        let block = try blocks.create(
          attempt: 1, generation: 1, machine: MachineIdentity(high: 1, low: 2), state: .none)
        block.enroll(.coordinator, as: sleeper.identity)
        try blocks.publish(block)
        for name in ["/web/blocks/1", "/web/blocks", "/web/vm", "/web", ""] {
          _ = unsafe chown(place.path + name, 12345, 12345)
        }
      },
      { folder in
        let said = try Self.stop("web", place)
        #expect(said?.contains("process \(sleeper.pid)") == true, "\(said ?? "stopped")")
        #expect(sleeper.isAlive)
        try Directory.open("blocks", in: folder).unlink("1")
      })
  }
}
