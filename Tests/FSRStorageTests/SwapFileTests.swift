import FSRState
import FSRStorage
import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// What a swap file is opened on, and what is refused.
@Suite struct SwapFileTests {
  static let header = SwapHeader(vm: "one", identity: MachineIdentity(high: 1, low: 2))
  /// One on a disk, one on tmpfs.
  static let places = ["/tmp", "/dev/shm"]

  static func open(
    _ path: String, slots: UInt64 = 10_000, options: SwapFile.Options = .init(), header: SwapHeader = header
  ) throws(SwapError) -> SwapFile {
    try SwapFile.open(path, header: header, slotLimit: slots, options: options)
  }

  /// Writes a file as somebody else would have.
  static func put(_ bytes: [UInt8], _ place: borrowing TemporaryDirectory, mode: UInt32 = 0o600) throws {
    try place.directory.openFile("swap", .createNew).write(bytes)
    let chmoded = unsafe chmod(place.path + "/swap", mode)
    #expect(chmoded == 0)
  }

  static func bytes(_ place: borrowing TemporaryDirectory) throws -> [UInt8] {
    try place.directory.openFile("swap", .read).readAll(limit: 1 << 24)
  }

  @Test(arguments: places) func aFileIsMadeForTheUserAlone(root: String) throws {
    let place = try TemporaryDirectory(under: root)
    let swap = try Self.open(place.path + "/swap")
    let owner = try place.directory.ownership(of: "swap")
    #expect(owner.mode == 0o600 && owner.uid == geteuid())
    #expect(swap.isHeld && swap.bitmap.count == 0 && swap.bitmap.limit == 10_000)
    let size = try place.directory.openFile("swap", .read).size()
    #expect(size == 4096, "slots come as they are needed")
  }

  @Test func aFormerVMsFileIsUsedAgainAndItsPagesAreGone() throws {
    let place = try TemporaryDirectory()
    do {
      let first = try Self.open(place.path + "/swap")
      _ = try first.allocate()
    }
    let former = try place.directory.openFile("swap", .readWrite)
    let grown = try former.size()
    #expect(grown > 4096)
    try former.write([7, 7, 7], at: 4096)
    let second = try Self.open(
      place.path + "/swap", header: SwapHeader(vm: "two", identity: MachineIdentity(high: 3, low: 4)))
    let cut = try former.size()
    #expect(cut == 4096 && second.bitmap.count == 0)
    _ = try second.allocate()
    let content = try former.read(at: 4096, count: 3)
    #expect(content == [0, 0, 0])
  }

  @Test func anEmptyFileIsTaken() throws {
    let place = try TemporaryDirectory()
    try Self.put([], place)
    let swap = try Self.open(place.path + "/swap")
    #expect(swap.isHeld)
  }

  @Test(arguments: [
    Sample("a byte", [1]), Sample("zeros", [UInt8](repeating: 0, count: 4096)),
    Sample("the mark alone", Array("FSRSWAP".utf8)), Sample("nines", [UInt8](repeating: 9, count: 9000)),
  ])
  func whatSomebodyElseWroteIsLeftAlone(sample: Sample<[UInt8]>) throws {
    let content = sample.value
    let place = try TemporaryDirectory()
    try Self.put(content, place)
    #expect(throws: SwapError.foreign(path: place.path + "/swap")) { _ = try Self.open(place.path + "/swap") }
    #expect(try Self.bytes(place) == content)
  }

  @Test func aSymbolicLinkIsRefusedAndItsTargetUntouched() throws {
    let place = try TemporaryDirectory()
    try place.directory.symlink("swap", to: place.path + "/target")
    #expect(throws: SwapError.notPlain(path: place.path + "/swap", .symbolicLink)) {
      _ = try Self.open(place.path + "/swap")
    }
    let made = try place.directory.exists("target")
    #expect(!made)
    _ = try place.directory.openFile("target", .createNew)
    #expect(throws: SwapError.notPlain(path: place.path + "/swap", .symbolicLink)) {
      _ = try Self.open(place.path + "/swap")
    }
  }

  @Test func whatIsNoPlainFileIsRefusedWithoutOpeningIt() async throws {
    let place = try TemporaryDirectory()
    try place.directory.make("swap")
    #expect(throws: SwapError.notPlain(path: place.path + "/swap", .directory)) {
      _ = try Self.open(place.path + "/swap")
    }
    // Opening a pipe that nobody writes to would wait.
    let mkfifoed = unsafe mkfifo(place.path + "/pipe", 0o600)
    #expect(mkfifoed == 0)
    let path = place.path + "/pipe"
    let pipe = await Blocking.run { Self.refusal(path) }
    #expect(pipe == .notPlain(path: path, .pipe))
    #expect(Self.refusal("/dev/null") == .notPlain(path: "/dev/null", .device))
  }

  static func refusal(_ path: String) -> SwapError? {
    do throws(SwapError) {
      _ = try open(path)
      return nil
    } catch { return error }
  }

  @Test(arguments: [0o644, 0o660, 0o602, 0o604] as [UInt32])
  func aFileThatOthersCouldUseIsRefused(mode: UInt32) throws {
    let place = try TemporaryDirectory()
    try Self.put([], place, mode: mode)
    #expect(Self.refusal(place.path + "/swap") == .openToOthers(path: place.path + "/swap", mode: mode))
  }

  @Test(.enabled(if: geteuid() == 0, "needs root, to give a file away"))
  func anotherUsersFileIsRefused() throws {
    let place = try TemporaryDirectory()
    try Self.put([], place)
    let chowned = unsafe chown(place.path + "/swap", 4711, 4711)
    #expect(chowned == 0)
    #expect(Self.refusal(place.path + "/swap") == .notOwned(path: place.path + "/swap", uid: 4711))
  }

  @Test func aPathThatLeadsNowhereSaysSo() throws {
    let place = try TemporaryDirectory()
    for path in [
      place.path + "/absent/swap", "", place.path + "/a\0b",
      place.path + "/" + String(repeating: "n", count: 300),
    ] {
      guard case .system(let error) = Self.refusal(path) else {
        Issue.record("\(path) was expected to be refused")
        continue
      }
      #expect([ENOENT, EINVAL, ENAMETOOLONG].contains(error.errno))
    }
  }

  @Test func aSecondVMIsToldWhoHasTheFileUnderWhateverName() throws {
    let place = try TemporaryDirectory()
    let path = place.path + "/swap"
    let swap = try Self.open(path)
    #expect(Self.refusal(path) == .inUse(path: path, vm: "one", process: nil))
    let linked = unsafe link(path, place.path + "/other")
    #expect(linked == 0)
    #expect(
      Self.refusal(place.path + "/other") == .inUse(path: place.path + "/other", vm: "one", process: nil))
    #expect(Self.refusal(path)?.description.contains("the VM one") == true)
    // Given back, it still is the VM's, until nobody has a part in it any more.
    swap.release()
    #expect(Self.refusal(path) == .inUse(path: path, vm: "one", process: nil))
  }

  @Test func whatHasALockOfAProcessIsNamed() throws {
    let place = try TemporaryDirectory()
    try Self.put([], place)
    // A lock of the old kind, which tells its process; in another one, since a process never hinders itself.
    let path = place.path + "/swap"
    let holder = try BesideUs("lock", path)
    #expect(Self.refusal(path) == .inUse(path: path, vm: nil, process: holder.pid))
  }

  @Test func aLeftoverGoesByItsMachineAndNotByItsName() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let path = place.path + "/swap"
    let other = MachineIdentity(high: 1, low: 3)
    func isThere() throws -> Bool { try place.directory.exists("swap") }
    do {
      // One that runs, of the same name: neither locked, removed nor said to be in the way, in its switch neither.
      let swap = try Self.open(path)
      for isHeld in [true, false] {
        if !isHeld { swap.release() }
        let begin = MonotonicClock.now()
        for machines in [[other], []] {
          #expect(SwapFile.removeLeftover(path, of: "one", machines))
          #expect(try isThere())
        }
        #expect(MonotonicClock.now() - begin < 60_000_000_000)
      }
      let again = try swap.reopened()
      try again.lock()
      // Its own, which somebody has.
      #expect(!SwapFile.removeLeftover(path, of: "one", [Self.header.identity]))
      #expect(try isThere())
    }
    #expect(SwapFile.removeLeftover(path, of: "one", [other]))
    #expect(SwapFile.removeLeftover(path, of: "two", []))
    #expect(try isThere())
    #expect(SwapFile.removeLeftover(path, of: "renamed", [other, Self.header.identity]))
    #expect(try !isThere())
    // Nothing tells of the machine any more, and nobody has a part in it.
    _ = try Self.open(path)
    #expect(SwapFile.removeLeftover(path, of: "one", []))
    #expect(try !isThere())
    #expect(SwapFile.removeLeftover(path, of: "one", [other]))
  }

  @Test func everyErrorSaysWhatAndOnWhat() {
    let cause = SystemError("fallocate", on: "x", errno: ENOSPC)
    let errors: [SwapError] = [
      .notPlain(path: "/p", .directory), .notPlain(path: "/p", .symbolicLink), .notOwned(path: "/p", uid: 3),
      .openToOthers(path: "/p", mode: 0o644), .foreign(path: "/p"),
      .tooSmall(path: "/p", bytes: 1, needed: 2),
      .inUse(path: "/p", vm: "v", process: nil), .inUse(path: "/p", vm: nil, process: 5),
      .otherFile(path: "/p"),
      .outOfSlots(limit: 5), .noSuchSlot(4, count: 2), .full(cause), .readOnly(cause), .inputOutput(cause),
      .notHeld,
      .undecodable("w"), .bitmap("w"), .system(cause),
    ]
    #expect(Set(errors.map(\.description)).count == errors.count)
    for error in errors.prefix(9) { #expect(error.description.contains("/p")) }
    #expect(SwapError(cause) == .full(cause))
    #expect(SwapError.openToOthers(path: "/p", mode: 0o644).description.contains("0644"))
  }
}
