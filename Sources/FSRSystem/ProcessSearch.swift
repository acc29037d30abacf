/// Processes that nothing else leads to.
public enum ProcessSearch {
  /// Processes, and descriptors of one, that are looked at.
  private static let limit = 65536

  /// Those of this PID namespace whose command line is wanted, this one left out; who may not be looked at is passed over.
  public static func processes(where isWanted: ([String]) -> Bool) -> [DirectoryHolder] {
    var found: [DirectoryHolder] = []
    var count = 0
    try? Directory.open("/proc").forEachNumber { pid in
      count += 1
      let arguments = Directory.arguments(of: pid)
      if isWanted(arguments), pid != ProcessDescriptor.ownNumber,
        let identity = try? ProcessIdentity.of(pid: pid)
      {
        found.append(DirectoryHolder(identity: identity, arguments: arguments))
      }
      return count < limit
    }
    return found
  }

  /// What /proc says of each descriptor of process `pid`: a path, and " (deleted)" behind it where that was removed.
  public static func openPaths(of pid: Int32) -> [String] {
    guard let folder = try? Directory.open("/proc/\(pid)/fd") else { return [] }
    var paths: [String] = []
    try? folder.forEachNumber { number in
      if let path = try? folder.readLink("\(number)") { paths.append(path) }
      return paths.count < limit
    }
    return paths
  }
}
