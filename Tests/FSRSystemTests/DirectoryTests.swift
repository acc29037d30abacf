import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct DirectoryTests {
  @Test func entriesAreMadeListedAndRemoved() throws {
    let place = try TemporaryDirectory()
    try place.directory.make("below")
    let again = refusal { () throws(SystemError) in try place.directory.make("below") }
    #expect(again == EEXIST)
    for number in 0..<300 { _ = try place.directory.openFile("file-\(number)", .createNew) }
    let names = try place.directory.names(limit: 301)
    #expect(Set(names) == Set((0..<300).map { "file-\($0)" } + ["below"]))
    let tooMany = refusal { () throws(SystemError) in _ = try place.directory.names(limit: 300) }
    #expect(tooMany == EFBIG)
    for name in names where name != "below" { try place.directory.unlink(name) }
    try place.directory.removeDirectory("below")
    let rest = try place.directory.names(limit: 0)
    #expect(rest == [])
  }

  @Test func aNameNeverLeadsOut() throws {
    let place = try TemporaryDirectory()
    for name in ["", ".", "..", "a/b", "/etc/passwd", "../x", "a\0b"] {
      let refused = refusal { () throws(SystemError) in _ = try place.directory.openFile(name, .read) }
      #expect(refused == EINVAL)
    }
    let long = refusal { () throws(SystemError) in
      _ = try place.directory.exists(String(repeating: "a", count: 256))
    }
    #expect(long == ENAMETOOLONG)
  }

  @Test func symbolicLinksAreReadButNotFollowed() throws {
    let place = try TemporaryDirectory()
    try place.directory.symlink("link", to: "/etc")
    let text = try place.directory.readLink("link")
    let there = try place.directory.exists("link")
    let absent = try place.directory.exists("absent")
    #expect(text == "/etc" && there && !absent)
    let file = refusal { () throws(SystemError) in _ = try place.directory.openFile("link", .read) }
    let below = refusal { () throws(SystemError) in _ = try Directory.open("link", in: place.directory) }
    #expect(file == ELOOP && below == ENOTDIR)
    let followed = try Directory.open("link", in: place.directory, followingLinks: true).exists("passwd")
    #expect(followed)
  }

  @Test func renamingReplacesOnlyWhenAsked() throws {
    let place = try TemporaryDirectory()
    try place.directory.openFile("a", .createNew).write([1])
    try place.directory.openFile("b", .createNew).write([2])
    let taken = refusal { () throws(SystemError) in
      try place.directory.rename("a", to: "b", replacing: false)
    }
    #expect(taken == EEXIST)
    try place.directory.rename("a", to: "b", replacing: true)
    let bytes = try place.directory.openFile("b", .read).readAll(limit: 1)
    #expect(bytes == [1])
  }

  @Test func whatHoldsAVMsFilesIsPrivateOrRefused() throws {
    let place = try TemporaryDirectory()
    let made = try Directory.makePath(place.path + "/run")
    let ownership = try made.ownership()
    #expect(ownership.uid == geteuid() && ownership.mode == 0o700)
    let path = try made.path()
    #expect(path == place.path + "/run")
    _ = try Directory.makePath(place.path + "/run/")

    try place.directory.symlink("link", to: "run")
    let link = refusal { () throws(SystemError) in _ = try Directory.makePath(place.path + "/link") }
    fchmod(made.number, 0o770)
    let open = refusal { () throws(SystemError) in _ = try Directory.makePath(place.path + "/run") }
    let relative = refusal { () throws(SystemError) in _ = try Directory.makePath("run") }
    let deep = refusal { () throws(SystemError) in _ = try Directory.makePath(place.path + "/no/run") }
    #expect(link == ELOOP && open == EPERM && relative == EINVAL && deep == ENOENT)
    if geteuid() == 0 {
      fchmod(made.number, 0o700)
      fchown(made.number, 12345, 12345)
      let foreign = refusal { () throws(SystemError) in _ = try Directory.makePath(place.path + "/run") }
      #expect(foreign == EPERM)
    }
  }

  @Test func tmpfsIsToldFromOtherFileSystems() throws {
    let shm = try Directory.open("/dev/shm").isOnTmpfs()
    let proc = try Directory.open("/proc").isOnTmpfs()
    #expect(shm && !proc)
  }

  @Test func aDuplicateListsFromTheStart() throws {
    let place = try TemporaryDirectory()
    _ = try place.directory.openFile("a", .createNew)
    let other = try place.directory.duplicate()
    let lists = [try place.directory.names(limit: 1), try other.names(limit: 1)]
    #expect(lists == [["a"], ["a"]])
    try other.sync()
  }

  @Test func aFileIsNoDirectory() throws {
    let refused = refusal { () throws(SystemError) in
      _ = try Directory(adopting: try OwnedDescriptor.open("/etc/passwd", .read))
    }
    #expect(refused == ENOTDIR)
  }
}
