import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

@Suite struct VMLockTests {
  /// What an attempt came to, in a value that can be compared.
  enum Outcome: Equatable {
    case taken
    case held(ProcessIdentity?)
  }

  /// Tries, and gives the lock back at once. Not inlined: the optimizer of Swift 6.3 trips over it.
  @inline(never)
  static func tried(_ directory: borrowing Directory) throws -> Outcome {
    switch try VMLock.attempt(in: directory) {
    case .taken(let lock):
      _ = consume lock
      return .taken
    case .held(let holder): return .held(holder?.identity)
    }
  }

  @inline(never)
  static func taken(_ directory: borrowing Directory) throws -> VMLock {
    switch try VMLock.attempt(in: directory) {
    case .taken(let lock): return lock
    case .held: throw Absent()
    }
  }

  @Test func itIsTakenOnceAndSaysByWhom() throws {
    let temporary = try TemporaryDirectory()
    let lock = Owned(try Self.taken(temporary.directory))
    // Open descriptions hold it, not processes: this one is refused as any other is.
    #expect(try Self.tried(temporary.directory) == .held(ProcessIdentity.current()))
    withExtendedLifetime(lock) {}
  }

  @Test func itIsFreeWhenItIsGivenBack() throws {
    let temporary = try TemporaryDirectory()
    for _ in 0..<10 {
      #expect(try Self.tried(temporary.directory) == .taken)
    }
  }

  @Test func aRecordThatIsCutShortNamesNobody() throws {
    let temporary = try TemporaryDirectory()
    let lock = Owned(try Self.taken(temporary.directory))
    let file = try temporary.directory.openFile("lock", .readWrite)
    try file.truncate(to: 39)
    #expect(try Self.tried(temporary.directory) == .held(nil))
    withExtendedLifetime(lock) {}
  }

  @Test func anotherProcessHoldsItUntilItsDeath() async throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path
    let listener = try UnixSocket.listen(in: temporary.directory, name: "holder")
    let parent = ProcessIdentity.current()
    // The child holds the lock, says so by connecting, and waits for its killer.
    async let death = #expect(processExitsWith: .signal(9)) { [path = path as String] in
      let directory = try Directory.open(path)
      let lock = Owned(try VMLockTests.taken(directory))
      let line = try UnixSocket.connect(in: directory, name: "holder")
      _ = try line.receive(limit: 16, maximumDescriptors: 0)
      withExtendedLifetime(lock) {}
    }
    let isThere = try Poller.wait(for: listener, nanoseconds: 60_000_000_000)
    try #require(isThere)
    let line = Owned(try required(try listener.accept()))
    guard case .held(let holder?) = try Self.tried(temporary.directory) else {
      Issue.record("nobody holds the lock")
      return
    }
    #expect(holder != parent)
    #expect(try line.value.peer().pid == holder.pid)
    let process = try required(try ProcessDescriptor.open(holder))
    let isSignalled = try process.signal(9)
    #expect(isSignalled)
    let hasExited = try process.waitForExit(timeout: 60_000_000_000)
    #expect(hasExited)
    #expect(try Self.tried(temporary.directory) == .taken)
    _ = await death
  }

  @Test func ofManyThreadsOneTakesIt() throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path
    for _ in 0..<50 {
      let locks: [Owned<VMLock>?] = try race(
        (0..<4).map { _ in
          {
            do { return Owned(try VMLockTests.taken(try Directory.open(path))) } catch { return nil }
          }
        })
      #expect(locks.filter { $0 != nil }.count == 1)
    }
  }
}

extension Poller {
  /// Whether somebody wants to connect to `listener` within the time.
  fileprivate static func wait(for listener: borrowing UnixSocket, nanoseconds: UInt64) throws -> Bool {
    var poller = Poller()
    poller.watch(listener.descriptor, token: 0)
    return try !poller.wait(timeout: nanoseconds).isEmpty
  }
}
