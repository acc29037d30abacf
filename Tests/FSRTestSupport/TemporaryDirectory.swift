public import FSRSystem
import Synchronization

/// A directory of a test's own, removed with its plain entries when the test ends.
public struct TemporaryDirectory: ~Copyable, Sendable {
  private static let next = Atomic<Int>(0)
  public let directory: Directory
  public let path: String

  /// On tmpfs by default. `depth` long names below make the path long.
  public init(under root: String = "/dev/shm", depth: Int = 0) throws {
    let number = Self.next.add(1, ordering: .relaxed).newValue
    var path = "\(root)/fsr-test-\(ProcessIdentity.current().pid)-\(number)"
    var directory = try Directory.makePath(path)
    for _ in 0..<depth {
      let name = String(repeating: "d", count: 120)
      path += "/" + name
      directory = try Directory.makePath(path)
    }
    self.directory = directory
    self.path = path
  }

  deinit {
    for name in (try? directory.names(limit: 1000)) ?? [] {
      if (try? directory.unlink(name)) == nil { try? directory.removeDirectory(name) }
    }
    var parts = path.split(separator: "/")
    while let leaf = parts.popLast() {
      guard let parent = try? Directory.open("/" + parts.joined(separator: "/")) else { break }
      try? parent.removeDirectory(String(leaf))
      if leaf.hasPrefix("fsr-test-") { break }
    }
  }
}
