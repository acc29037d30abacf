import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// What is opened in a directory in which somebody may have put anything: plain files of its owner, and nothing is
/// waited for.
@Suite struct UntrustedFileTests {
  private static let modes: [FileMode] = [.read, .append, .readWrite, .readWriteCreating]

  private static func expect(_ expected: Int32, of name: String, in directory: borrowing Directory) {
    for mode in modes {
      let refused = refusal { () throws(SystemError) in _ = try directory.openFile(name, mode) }
      #expect(refused == expected, "\(name), \(mode)")
    }
  }

  @Test(.timeLimit(.minutes(5))) func onlyPlainFilesAreOpened() throws {
    let place = try TemporaryDirectory()
    let made = unsafe mkfifo(place.path + "/pipe", 0o600)
    #expect(made == 0)
    let listener = try UnixSocket.listen(in: place.directory, name: "socket")
    try place.directory.make("below")
    try place.directory.symlink("device", to: "/dev/zero")
    try place.directory.symlink("nowhere", to: "absent")
    Self.expect(EINVAL, of: "pipe", in: place.directory)
    Self.expect(EINVAL, of: "socket", in: place.directory)
    Self.expect(EISDIR, of: "below", in: place.directory)
    Self.expect(ELOOP, of: "device", in: place.directory)
    Self.expect(ELOOP, of: "nowhere", in: place.directory)
    Self.expect(EINVAL, of: "null", in: try Directory.open("/dev"))
    let kinds = [try place.directory.kind(of: "pipe"), try place.directory.kind(of: "absent")]
    #expect(kinds == [.pipe, nil])
    _ = try place.directory.openFile("plain", .readWriteCreating)
    _ = try place.directory.openFile("plain", .read)
    _ = consume listener
  }

  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func whatBelongsToSomebodyElseIsNotOpened() throws {
    let place = try TemporaryDirectory()
    _ = try place.directory.openFile("file", .createNew)
    let given = unsafe chown(place.path + "/file", 12345, 12345)
    #expect(given == 0)
    Self.expect(EPERM, of: "file", in: place.directory)
    // It is the directory's owner's then.
    fchown(place.directory.number, 12345, 12345)
    _ = try place.directory.openFile("file", .read)
  }

  @Test func anEntryIsToldFromWhatHasItsNameLater() throws {
    let place = try TemporaryDirectory()
    try place.directory.make("one")
    let one = try Directory.open("one", in: place.directory)
    let parent = try one.parent()
    let isOne = try parent.isEntry("one", of: one.descriptor)
    try place.directory.rename("one", to: "two", replacing: false)
    try place.directory.make("one")
    let isStill = try parent.isEntry("one", of: one.descriptor)
    let isTwo = try one.parent().isEntry("two", of: one.descriptor)
    let absent = try parent.isEntry("absent", of: one.descriptor)
    #expect(isOne && !isStill && isTwo && !absent)
  }

  @Test func aPathIsTakenAsTheKernelTakesIt() throws {
    let place = try TemporaryDirectory()
    for path in ["/run/.", "/run//", "/run/./", "/run"] {
      let made = try Directory.makePath(place.path + path).path()
      #expect(made == place.path + "/run")
    }
    try place.directory.make("other")
    let above = try Directory.makePath(place.path + "/run/..").path()
    let beside = try Directory.makePath(place.path + "/run/../other/.").path()
    #expect(above == place.path && beside == place.path + "/other")
    try place.directory.symlink("link", to: "run")
    let link = refusal { () throws(SystemError) in _ = try Directory.makePath(place.path + "/link/.") }
    #expect(link == ELOOP)
  }
}
