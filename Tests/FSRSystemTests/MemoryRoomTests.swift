import FSRSystem
import FSRTestSupport
import Testing

/// What is left to take, by files that look like the kernel's.
@Suite struct MemoryRoomTests {
  private static let mebi: UInt64 = 1 << 20

  /// A host with `free` and `swap` MiB, and files by their paths in one folder.
  private final class World {
    let place: TemporaryDirectory
    /// Folders and files, in the order in which they were made.
    private var made: [(folder: String, name: String)] = []

    init(free: UInt64, swap: UInt64 = 0, groups: String, mounts: String) throws {
      place = try TemporaryDirectory()
      try put("proc/meminfo", "MemTotal: 99 kB\nMemAvailable: \(free << 10) kB\nSwapFree: \(swap << 10) kB\n")
      try put("proc/self/cgroup", groups)
      try put("proc/self/mountinfo", mounts.replacing("HERE", with: place.path))
    }

    func put(_ path: String, _ text: String) throws {
      var folder = place.path
      for name in path.split(separator: "/").dropLast() {
        if try !Directory.open(folder).exists(String(name)) { made.append((folder, String(name))) }
        folder += "/\(name)"
        _ = try Directory.makePath(folder)
      }
      let name = String(path.split(separator: "/").last ?? "")
      try Directory.open(folder).openFile(name, .createNew).write(Array(text.utf8))
      made.append((folder, name))
    }

    deinit {
      for (folder, name) in made.reversed() {
        guard let folder = try? Directory.open(folder) else { continue }
        if (try? folder.unlink(name)) == nil { try? folder.removeDirectory(name) }
      }
    }

    var room: MemoryRoom? { MemoryRoom.least(proc: "\(place.path)/proc") }

    func room(_ bytes: UInt64, of group: String) -> MemoryRoom {
      MemoryRoom(bytes: bytes, place: "\(place.path)/\(group)")
    }
  }

  private static let unified = (
    groups: "0::/a/b\n", mounts: "30 1 0:41 / HERE/groups rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n"
  )
  private static let divided = (
    groups: "5:cpu:/x\n4:memory:/a/b\n0::/\n",
    mounts: "31 1 0:40 / HERE/cpu rw - cgroup cgroup rw,cpu\n"
      + "32 1 0:41 / HERE/groups rw,relatime - cgroup cgroup rw,memory\n"
  )

  @Test func withoutGroupsItIsTheHosts() throws {
    let world = try World(free: 100, swap: 5, groups: "", mounts: "")
    #expect(world.room == MemoryRoom(bytes: 105 * Self.mebi, place: "the host"))
    #expect(MemoryRoom.least(proc: "/absent") == nil)
    // And of whoever runs this.
    let own = try #require(MemoryRoom.least())
    #expect(own.bytes > 0)
  }

  @Test func theNarrowestGroupCounts() throws {
    let world = try World(free: 100, groups: Self.unified.groups, mounts: Self.unified.mounts)
    try world.put("groups/a/memory.max", "\(50 * Self.mebi)\n")
    try world.put("groups/a/memory.current", "\(45 * Self.mebi)\n")
    try world.put("groups/a/b/memory.max", "max\n")
    try world.put("groups/a/b/memory.current", "\(40 * Self.mebi)\n")
    #expect(world.room == world.room(5 * Self.mebi, of: "groups/a"))
  }

  @Test func filesAndSwapMakeRoom() throws {
    let world = try World(free: 100, swap: 30, groups: Self.unified.groups, mounts: Self.unified.mounts)
    try world.put("groups/a/b/memory.max", "\(50 * Self.mebi)\n")
    try world.put("groups/a/b/memory.current", "\(50 * Self.mebi)\n")
    try world.put(
      "groups/a/b/memory.stat",
      "anon 7\ninactive_file \(2 * Self.mebi)\nactive_file \(Self.mebi)\nslab_reclaimable \(Self.mebi)\n")
    try world.put("groups/a/b/memory.swap.max", "\(10 * Self.mebi)\n")
    try world.put("groups/a/b/memory.swap.current", "\(4 * Self.mebi)\n")
    #expect(world.room == world.room(10 * Self.mebi, of: "groups/a/b"))
  }

  @Test func theFirstVersionHasTwoLimits() throws {
    let world = try World(free: 100, swap: 30, groups: Self.divided.groups, mounts: Self.divided.mounts)
    try world.put("groups/memory.limit_in_bytes", "9223372036854771712\n")
    try world.put("groups/memory.usage_in_bytes", "\(90 * Self.mebi)\n")
    try world.put("groups/a/b/memory.limit_in_bytes", "\(50 * Self.mebi)\n")
    try world.put("groups/a/b/memory.usage_in_bytes", "\(48 * Self.mebi)\n")
    try world.put("groups/a/b/memory.stat", "inactive_file 5\ntotal_inactive_file \(Self.mebi)\n")
    #expect(world.room == world.room(33 * Self.mebi, of: "groups/a/b"))
    try world.put("groups/a/b/memory.memsw.limit_in_bytes", "\(50 * Self.mebi)\n")
    try world.put("groups/a/b/memory.memsw.usage_in_bytes", "\(49 * Self.mebi)\n")
    #expect(world.room == world.room(2 * Self.mebi, of: "groups/a/b"))
  }

  @Test func aMountThatShowsAPartIsUnderstood() throws {
    let world = try World(
      free: 100, groups: "0::/outer/a/b\n",
      mounts: "30 1 0:41 /outer HERE/groups rw,relatime shared:9 - cgroup2 cgroup2 rw\n")
    try world.put("groups/a/memory.max", "\(9 * Self.mebi)\n")
    try world.put("groups/a/memory.current", "\(10 * Self.mebi)\n")
    #expect(world.room == world.room(0, of: "groups/a"))
  }

  @Test(arguments: ["0::/../x\n", "0::\n", "rubbish\n", "0\n", ""]) func aGroupThatIsNotSeenCountsNothing(
    groups: String
  ) throws {
    let world = try World(
      free: 7, groups: groups, mounts: "30 1 0:41 /y HERE/groups rw - cgroup2 cgroup2 rw\nx\n")
    #expect(world.room == MemoryRoom(bytes: 7 * Self.mebi, place: "the host"))
  }
}
