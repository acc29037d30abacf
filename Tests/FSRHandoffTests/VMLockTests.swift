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

  @Test func aLookTakesNothing() throws {
    let temporary = try TemporaryDirectory()
    func look() throws -> Outcome {
      switch try VMLock.look(in: temporary.directory) {
      case .free: .taken
      case .held(by: let holder): .held(holder?.identity)
      }
    }
    #expect(try look() == .taken)
    let lock = Owned(try Self.taken(temporary.directory))
    #expect(try look() == .held(ProcessIdentity.current()))
    withExtendedLifetime(lock) {}
  }

  @Test func itSaysOfWhichNamespaceItsHolderIs() throws {
    func namespace(_ directory: borrowing Directory) throws -> PIDNamespace? {
      guard case .held(by: let holder?) = try VMLock.look(in: directory) else { return nil }
      return holder.namespace
    }
    let temporary = try TemporaryDirectory()
    let lock = Owned(try Self.taken(temporary.directory))
    let whole = try namespace(temporary.directory)
    #expect(whole == .own && whole != .unknown)
    let file = try temporary.directory.openFile("lock", .readWrite)
    // A build that knows none leaves what an earlier holder wrote, and that is of another start.
    try file.write([9, 9, 9, 9, 9, 9, 9, 9], at: 40)
    #expect(try namespace(temporary.directory) == .unknown)
    try file.truncate(to: 40)
    #expect(try namespace(temporary.directory) == .unknown)
    #expect(try Self.tried(temporary.directory) == .held(ProcessIdentity.current()))
    withExtendedLifetime(lock) {}
  }

  @Test func aRecordThatIsCutShortNamesNobody() throws {
    let temporary = try TemporaryDirectory()
    let lock = Owned(try Self.taken(temporary.directory))
    let file = try temporary.directory.openFile("lock", .readWrite)
    try file.truncate(to: 39)
    #expect(try Self.tried(temporary.directory) == .held(nil))
    withExtendedLifetime(lock) {}
  }

  /// Longer than all other tests take: until one of the pool's threads is free, the child is not started.
  private static let timeout: UInt64 = 1_200_000_000_000

  @Test func anotherProcessHoldsItUntilItsDeath() async throws {
    let temporary = try TemporaryDirectory()
    let path = temporary.path
    let listener = Owned(try UnixSocket.listen(in: temporary.directory, name: "holder"))
    // The child holds the lock, says so by connecting, and waits for its killer.
    async let findings = Blocking.run(atOnce: true) { () -> [String] in
      do { return try Self.killHolder(in: try Directory.open(path), listener) } catch { return ["\(error)"] }
    }
    await #expect(processExitsWith: .signal(9)) { [path = path as String] in
      let directory = try Directory.open(path)
      let lock = Owned(try VMLockTests.taken(directory))
      let line = try UnixSocket.connect(in: directory, name: "holder")
      _ = try line.receive(limit: 16, maximumDescriptors: 0, timeout: VMLockTests.timeout)
      withExtendedLifetime(lock) {}
    }
    for finding in await findings { Issue.record("\(finding)") }
    withExtendedLifetime(temporary) {}
  }

  /// Waits for the lock's holder, looks at it, and kills it.
  private static func killHolder(
    in directory: borrowing Directory, _ listener: Owned<UnixSocket>
  ) throws -> [String] {
    guard try Poller.wait(for: listener.value, nanoseconds: timeout) else { return ["nobody connects"] }
    let line = Owned(try required(try listener.value.accept()))
    guard case .held(let holder?) = try tried(directory) else { return ["nobody holds the lock"] }
    let process = try required(try ProcessDescriptor.open(holder))
    var findings: [String] = []
    if holder == ProcessIdentity.current() { findings.append("this process holds the lock") }
    if try line.value.peer().pid != holder.pid {
      findings.append("another one than the child holds the lock")
    }
    if try !process.signal(9) { findings.append("the holder is not there") }
    if try !process.waitForExit(timeout: timeout) { findings.append("the holder lives on") }
    if try tried(directory) != .taken { findings.append("the dead one's lock is held") }
    return findings
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
