import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct ProcessTests {

  private static func sleeper() throws -> ChildProcess {
    try ChildProcess.spawn(executable: "/bin/sleep", arguments: ["sleep", "600"], environment: [])
  }

  /// What a shell with `script` writes to its standard output, and how it ended.
  private func output(
    of script: String, environment: [String] = [], inheriting: [ChildProcess.Inheritance] = [],
    newSession: Bool = false
  ) throws -> (text: String, status: FSRSystem.ExitStatus?) {
    let place = try TemporaryDirectory()
    let file = try place.directory.openFile("output", .append)
    let child = try ChildProcess.spawn(
      executable: "/bin/sh", arguments: ["sh", "-c", script], environment: environment,
      inheriting: inheriting + [.init(file.number, as: 1), .init(file.number, as: 2)],
      newSession: newSession)
    let exited = try child.process.waitForExit(timeout: nil)
    #expect(exited)
    let bytes = try place.directory.openFile("output", .read).readAll(limit: 65536)
    return (String(decoding: bytes, as: UTF8.self), try child.process.reap())
  }

  @Test func aChildsExitStatusIsTakenOnce() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        let child = try ChildProcess.spawn(
          executable: "/bin/sh", arguments: ["sh", "-c", "exit 7"], environment: [])
        let exited = try child.process.waitForExit(timeout: nil)
        let statuses = [try child.process.reap(), try child.process.reap()]
        #expect(exited && statuses == [.exited(7), nil])
      }
    }
  }

  @Test func aSignalEndsAChildAndThenFindsNobody() throws {
    let child = try ProcessTests.sleeper()
    let before = try child.process.hasExited()
    let running = try child.process.reap()
    let early = try child.process.waitForExit(timeout: 1000)
    #expect(!before && running == nil && !early)
    let sent = try child.process.signal(SIGKILL)
    let exited = try child.process.waitForExit(timeout: nil)
    let status = try child.process.reap()
    let again = try child.process.signal(0)
    #expect(sent && exited && status == .signaled(SIGKILL) && !again)
  }

  @Test func aProcessWorksForItsUserAndForNobodyElse() throws {
    let child = try ProcessTests.sleeper()
    let mine = try child.process.works(for: geteuid(), pid: child.pid)
    let others = try child.process.works(for: geteuid() &+ 1, pid: child.pid)
    try child.process.signal(SIGKILL)
    _ = try child.process.waitForExit(timeout: nil)
    // Its number is still its own until it is reaped.
    let zombie = try child.process.works(for: geteuid(), pid: child.pid)
    _ = try child.process.reap()
    let gone = try child.process.works(for: geteuid(), pid: child.pid)
    #expect(mine && !others && !zombie && !gone)
  }

  /// Also where the number is one that the child is to have for something else, and whatever its own number is.
  @Test(arguments: [3, 7, 40] as [Int32]) func aChildExecutesWhatADescriptorLeadsTo(target: Int32) throws {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let program = try OwnedDescriptor.open("/bin/sh", .read)
    let child = try ChildProcess.spawn(
      executable: "/absent", arguments: ["sh", "-c", "ls /proc/self/fd | paste -sd' '; pwd"],
      environment: ["PATH=/usr/bin:/bin"],
      inheriting: [.init(output.number, as: 1), .init(output.number, as: target)], newSession: true,
      program: program.number)
    _ = try child.process.waitForExit(timeout: nil)
    let status = try child.process.reap()
    let said = String(
      decoding: try place.directory.openFile("output", .read).readAll(limit: 4096), as: UTF8.self)
    // The one that `ls` reads the list through, too.
    let numbers = Set([0, 1, 2, target, target == 3 ? 4 : 3]).sorted().map(String.init).joined(separator: " ")
    #expect(status == .exited(0) && said == "\(numbers)\n/\n")
  }

  @Test func aZombieCountsAsGone() throws {
    let child = try ChildProcess.spawn(executable: "/bin/true", arguments: ["true"], environment: [])
    _ = try child.process.waitForExit(timeout: nil)
    let zombie = try ProcessIdentity.of(pid: child.pid)
    let exited = try child.process.hasExited()
    let status = try child.process.reap()
    let gone = try ProcessIdentity.of(pid: child.pid)
    #expect(zombie == nil && exited && status == .exited(0) && gone == nil)
  }

  @Test func thisProcessIsWhoTheKernelSays() throws {
    let own = try ProcessIdentity.establish()
    #expect(own == ProcessIdentity.current() && own.pid == getpid() && own.startTime > 0)
    #expect(try ProcessIdentity.of(pid: getpid()) == own)
    let link = try Directory.open("/proc/self/ns").readLink("pid")
    #expect(link == "pid:[\(PIDNamespace.own.number)]" && PIDNamespace.own.isOwn)
    #expect(PIDNamespace.unknown.isOwn && !PIDNamespace(number: 7).isOwn)
  }

  /// One without a descriptor to spare, which is no reason to say that nobody is there.
  @Test func whoCannotLookSeesNobodysEnd() async {
    await #expect(processExitsWith: .success) {
      let child = try ProcessTests.sleeper()
      let identity = try #require(try ProcessIdentity.of(pid: child.pid))
      // Known from before: it stays the same.
      let own = try ProcessIdentity.establish()
      var taken = DescriptorBag()
      while let one = try? OwnedDescriptor.open("/dev/null", .read) { taken.append(one) }
      let refused = refusal { () throws(SystemError) in _ = try ProcessDescriptor.open(identity) }
      #expect(refused == EMFILE && ProcessIdentity.current() == own)
      try child.process.signal(SIGKILL)
      _ = try child.process.waitForExit(timeout: nil)
      withExtendedLifetime(taken.count) {}
    }
  }

  @Test func anIdentityOpensItsProcessAndNoOther() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        let child = try ProcessTests.sleeper()
        let identity = try #require(try ProcessIdentity.of(pid: child.pid))
        let right = try !isAbsent(ProcessDescriptor.open(identity))
        let later = ProcessIdentity(
          pid: identity.pid, startTime: identity.startTime + 1, bootID: identity.bootID)
        let reused = try isAbsent(ProcessDescriptor.open(later))
        let otherBoot = BootID(high: identity.bootID.high, low: ~identity.bootID.low)
        let rebooted =
          try isAbsent(
            ProcessDescriptor.open(
              ProcessIdentity(pid: identity.pid, startTime: identity.startTime, bootID: otherBoot)))
        try child.process.signal(SIGKILL)
        _ = try child.process.waitForExit(timeout: nil)
        let zombie = try isAbsent(ProcessDescriptor.open(identity))
        _ = try child.process.reap()
        let gone = try isAbsent(ProcessDescriptor.open(identity))
        #expect(right && reused && rebooted && zombie && gone)
      }
    }
  }

  @Test func thisProcessHasOneIdentity() throws {
    let identity = ProcessIdentity.current()
    let same = try ProcessIdentity.of(pid: getpid())
    #expect(identity == same && identity.pid == getpid() && identity.startTime > 0)
    let nobody = try ProcessIdentity.of(pid: -1)
    let absent = refusal { () throws(SystemError) in _ = try ProcessDescriptor.open(pid: Int32.max) }
    #expect(nobody == nil && absent == ESRCH)
  }

  @Test func aNameFullOfParenthesesDoesNotShiftTheFields() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    try place.directory.symlink("a) Z 1 (b", to: "/bin/sleep")
    let child = try ChildProcess.spawn(
      executable: place.path + "/a) Z 1 (b", arguments: ["sleep", "600"], environment: [])
    let identity = try ProcessIdentity.of(pid: child.pid)
    let mine = ProcessIdentity.current()
    let started = try #require(identity?.startTime)
    #expect(started >= mine.startTime)
    try child.process.signal(SIGKILL)
    _ = try child.ended()
  }

  @Test func aDescriptorIsCopiedOutOfAnotherProcess() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        let memfd = try Memfd.create(name: "copied", size: 4096)
        let child = try ChildProcess.spawn(
          executable: "/bin/sleep", arguments: ["sleep", "600"], environment: [],
          inheriting: [.init(memfd.number, as: 9)])
        let copy = try child.process.copyDescriptor(9)
        let flags = fcntl(copy.number, F_GETFD)
        try MappedRegion(mapping: memfd, length: 4096).store(UInt8(77), at: 5)
        let seen = try MappedRegion(mapping: copy, length: 4096).load(5, as: UInt8.self)
        #expect(seen == 77 && flags == FD_CLOEXEC)
        let absent = refusal { () throws(SystemError) in _ = try child.process.copyDescriptor(10) }
        #expect(absent == EBADF)
        try child.process.signal(SIGKILL)
        _ = try child.process.duplicate().waitForExit(timeout: nil)
        _ = try child.process.reap()
      }
    }
  }

  @Test func aChildHasTheChosenDescriptorsAndNoOthers() throws {
    let memfd = try Memfd.create(name: "kept", size: 4096)
    // Open in this process without close-on-exec, above and between the targets.
    let loose = dup(memfd.number)
    let far = dup2(memfd.number, 900)
    defer {
      close(loose)
      close(far)
    }
    // `ls` itself opens the directory as the lowest free number, which is 4.
    let (text, status) = try output(
      of: "exec ls /proc/self/fd",
      inheriting: [.init(memfd.number, as: 3), .init(memfd.number, as: 5), .init(memfd.number, as: 40)])
    let numbers = text.split(separator: "\n").compactMap { Int($0) }.sorted()
    #expect(numbers == [0, 1, 2, 3, 4, 5, 40] && status == .exited(0))
  }

  @Test func descriptorsMayTradeTheirNumbers() throws {
    let place = try TemporaryDirectory()
    let one = try place.directory.openFile("one", .createNew)
    let two = try place.directory.openFile("two", .createNew)
    let (text, _) = try output(
      of: "exec readlink /proc/self/fd/\(two.number) /proc/self/fd/\(one.number)",
      inheriting: [.init(one.number, as: two.number), .init(two.number, as: one.number)])
    #expect(text == "\(place.path)/one\n\(place.path)/two\n")
  }

  @Test func aChildStartsWithNoSignalBlockedOrIgnored() throws {
    signal(SIGUSR2, SIG_IGN)
    defer { signal(SIGUSR2, SIG_DFL) }
    let (text, _) = try output(of: "exec grep -E 'SigBlk|SigIgn' /proc/self/status")
    // 32 and 33 belong to the C library, which ignores them until a thread needs them.
    let own: UInt64 = 3 << 31
    let sets = text.split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
    #expect(sets.count == 2 && sets.allSatisfy { $0 & ~own == 0 })
  }

  @Test func environmentAndSessionAreWhatWasAsked() throws {
    let (text, _) = try output(
      of: "echo $ONE; cut -d' ' -f6 /proc/$$/stat; echo $$", environment: ["ONE=two words"],
      newSession: true)
    let lines = text.split(separator: "\n")
    #expect(lines.count == 3 && lines[0] == "two words" && lines[1] == lines[2])
  }

  @Test func whatCannotBeStartedSaysWhy() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        let place = try TemporaryDirectory(under: "/tmp")
        let file = try place.directory.openFile("garbage", .createNew)
        try file.write([1, 2, 3, 4])
        fchmod(file.number, 0o700)
        let plain = try place.directory.openFile("plain", .createNew)
        // An executable that is open for writing would be ETXTBSY.
        _ = consume file
        _ = consume plain
        func start(_ path: String, _ inheriting: [ChildProcess.Inheritance] = []) -> Int32? {
          refusal { () throws(SystemError) in
            _ = try ChildProcess.spawn(
              executable: path, arguments: ["x"], environment: [], inheriting: inheriting)
          }
        }
        #expect(start(place.path + "/absent") == ENOENT)
        #expect(start(place.path + "/plain") == EACCES)
        #expect(start(place.path + "/garbage") == ENOEXEC)
        #expect(start("/bin/true", [.init(999, as: 5)]) == EBADF)
        #expect(start("/bin/true", [.init(0, as: 5), .init(1, as: 5)]) == EINVAL)
        #expect(start("/bin/true", [.init(0, as: -1)]) == EINVAL)
        #expect(start("/bin/tr\0ue") == EINVAL)
      }
    }
  }

  @Test func aMessageStampNamesTheChildThatSentIt() throws {
    let pair = try UnixSocket.pair()
    try pair.a.passSenderCredentials()
    let child = try ChildProcess.spawn(
      executable: "/bin/sh", arguments: ["sh", "-c", "echo hi >&5"], environment: [],
      inheriting: [.init(pair.b.descriptor.number, as: 5)])
    let received = try required(pair.a.receive(limit: 8, maximumDescriptors: 0))
    #expect(received.bytes == [104, 105, 10] && received.sender?.pid == child.pid)
    _ = try child.ended()
  }

  @Test func aProcessThatASignalHasStoppedIsKnownWithARemedy() throws {
    func isStopped(_ identity: ProcessIdentity, _ isDue: Bool) throws -> Bool {
      // A minute: a signal takes effect a moment after it was sent.
      for _ in 0..<60_000 where identity.isStopped != isDue { MonotonicClock.sleep(1_000_000) }
      return identity.isStopped
    }
    let sleeper = try Sleeper()
    let child = try required(ProcessDescriptor.open(sleeper.identity))
    let before = sleeper.identity.isStopped
    try child.signal(SIGSTOP)
    let stops = try isStopped(sleeper.identity, true)
    let words = "\(sleeper.identity.standstill)"
    try child.signal(SIGCONT)
    let goesOn = try !isStopped(sleeper.identity, false)
    let identity = sleeper.identity
    let other = ProcessIdentity(
      pid: identity.pid, startTime: identity.startTime + 1, bootID: identity.bootID)
    try child.signal(SIGSTOP)
    let stopsAgain = try isStopped(identity, true)
    let isOther = other.isStopped
    #expect(!before && stops && goesOn && stopsAgain && !isOther)
    #expect(words.contains("`kill -CONT \(identity.pid)`"))
  }

  @Test func aPollerSeesAProcessEnd() throws {
    let child = try ProcessTests.sleeper()
    var poller = Poller()
    poller.watch(child.process.descriptor, token: 3)
    let before = try poller.wait(timeout: 0)
    try child.process.signal(SIGTERM)
    let after = try poller.wait(timeout: nil)
    #expect(before == [] && after == [3])
    _ = try child.process.reap()
  }
}
