import FSRSystem
import Glibc
import Testing

@Suite struct SystemErrorTests {
  /// Each a call that fails, and the name that its message starts with.
  private static let failures: [(String, @Sendable () throws -> Void)] = [
    ("openat", { _ = try Directory.open("/absent") }),
    ("openat", { _ = try OwnedDescriptor.open("/absent", .read) }),
    ("openat", { _ = try Directory.open("/proc").openFile("absent", .read) }),
    ("unlinkat", { try Directory.open("/dev/shm").unlink("absent") }),
    ("unlinkat", { try Directory.open("/dev/shm").removeDirectory("absent") }),
    ("mkdirat", { try Directory.open("/").make("dev") }),
    ("renameat2", { try Directory.open("/dev/shm").rename("absent", to: "b", replacing: false) }),
    ("symlinkat", { try Directory.open("/").symlink("dev", to: "x") }),
    ("readlinkat", { _ = try Directory.open("/").readLink("dev") }),
    ("getdents64", { _ = try Directory.open("/dev").names(limit: 0) }),
    ("connect", { _ = try UnixSocket.connect(in: try Directory.open("/dev/shm"), name: "absent") }),
    ("bind", { _ = try UnixSocket.listen(in: try Directory.open("/"), name: "dev") }),
    ("sendmsg", { try UnixSocket.pair().a.send([]) }),
    ("recvmsg", { _ = try UnixSocket.pair().a.receive(limit: 1, maximumDescriptors: 0, timeout: 0) }),
    ("accept4", { _ = try UnixSocket.pair().a.accept() }),
    ("shutdown", { try UnixSocket(adopting: try OwnedDescriptor.open("/dev/null", .read)).shutdown() }),
    ("pidfd_open", { _ = try ProcessDescriptor.open(pid: Int32.max) }),
    ("pidfd_send_signal", { try ProcessDescriptor.open(pid: getpid()).signal(1000) }),
    ("pidfd_getfd", { _ = try ProcessDescriptor.open(pid: getpid()).copyDescriptor(100_000) }),
    ("posix_spawn", { _ = try ChildProcess.spawn(executable: "/absent", arguments: [], environment: []) }),
    ("pread", { _ = try OwnedDescriptor.open("/dev/zero", .read).readAll(limit: 10) }),
    ("write", { try OwnedDescriptor.open("/dev/full", .readWrite).write([1]) }),
    ("ftruncate", { try OwnedDescriptor.open("/dev/null", .readWrite).truncate(to: .max) }),
    ("fcntl F_OFD_SETLK", { _ = try OwnedDescriptor.open("/etc/passwd", .read).tryLock() }),
    ("mmap", { _ = try MappedRegion(anonymous: .max) }),
  ]

  @Test(arguments: 0..<failures.count) func everyMessageNamesTheCallAndTheReason(index: Int) {
    let (call, body) = SystemErrorTests.failures[index]
    do {
      try body()
      Issue.record("\(call) was expected to fail")
    } catch let error as SystemError {
      #expect(error.call == call && error.description.hasPrefix(call + " "))
      #expect(error.errno > 0 && error.description.contains(error.meaning))
    } catch {
      Issue.record("not a SystemError: \(error)")
    }
  }

  @Test func theSubjectAndARemedyAreInTheSentence() {
    let error = SystemError("openat", on: "/a/b", errno: EMFILE)
    #expect(error.description.contains("/a/b") && error.description.contains("ulimit"))
  }

  @Test func aFileThatIsTooLongIsALimitToWhoWritesIt() {
    for call in ["write", "ftruncate", "posix_fallocate"] {
      let error = SystemError(call, on: "file", errno: EFBIG)
      #expect(error.shortage == .limit && error.description.contains("ulimit -f"))
    }
    let found = SystemError("pread", on: "more than 10 bytes", errno: EFBIG)
    #expect(found.shortage == nil && !found.description.contains("ulimit"))
  }

  @Test func aFileIsNamedWhereOnlyADescriptorIs() {
    let nameless = SystemError("fallocate", on: "descriptor 28", errno: 28)
    #expect(nameless.naming("/disk/swap") == SystemError("fallocate", on: "/disk/swap", errno: 28))
    let opened = SystemError("openat", on: "/proc/self/fd/12", errno: 13)
    #expect("\(opened.naming("/disk/swap"))".hasPrefix("openat /disk/swap: "))
    let named = SystemError("openat", on: "/disk/other", errno: 13)
    #expect(named.naming("/disk/swap") == named)
  }
}
