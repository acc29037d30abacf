internal import CFSRLinux
internal import Glibc

/// A process that was found by what it has open, or by its command line.
public struct DirectoryHolder: Sendable {
  public let identity: ProcessIdentity
  /// With which it was started.
  public let arguments: [String]
}

extension Directory {
  /// Bytes of a process's arguments that are looked at.
  private static let argumentLimit = 4096

  /// The processes that have this directory open, this one left out; who may not be looked into is passed over.
  ///
  /// - Throws: `SystemError` where /proc cannot be listed.
  public func holders(within limits: WriterSearch.Limits = WriterSearch.Limits()) throws(SystemError)
    -> [DirectoryHolder]
  {
    let own = try descriptor.identity()
    let deadline = MonotonicClock.deadline(after: limits.duration) ?? .max
    let me = getpid()
    var found: [DirectoryHolder] = []
    var (processes, descriptors) = (0, 0)
    try Directory.open("/proc").forEachNumber { pid in
      guard processes < limits.processes, MonotonicClock.now() < deadline else { return false }
      processes += 1
      // Gone, or nobody's business of this one.
      guard pid != me, let folder = try? Directory.open("/proc/\(pid)/fd") else { return true }
      var isHolder = false
      try? folder.forEachNumber { number in
        descriptors += 1
        isHolder = WriterSearch.leads(number, in: folder, to: own)
        return !isHolder && descriptors < limits.descriptors
      }
      if isHolder, let identity = try? ProcessIdentity.of(pid: pid) {
        found.append(DirectoryHolder(identity: identity, arguments: Self.arguments(of: pid)))
      }
      return descriptors < limits.descriptors
    }
    return found
  }

  /// Whether process `pid` has this directory open.
  ///
  /// - Throws: `SystemError` where it may not be looked into, or is gone.
  public func isHeld(by pid: Int32) throws(SystemError) -> Bool {
    let own = try descriptor.identity()
    let folder = try Directory.open("/proc/\(pid)/fd")
    var isHolder = false
    try folder.forEachNumber { number in
      isHolder = WriterSearch.leads(number, in: folder, to: own)
      return !isHolder
    }
    return isHolder
  }

  static func arguments(of pid: Int32) -> [String] {
    guard let file = try? OwnedDescriptor.open("/proc/\(pid)/cmdline", .read),
      let bytes = try? file.read(limit: argumentLimit)
    else { return [] }
    return bytes.split(separator: 0, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
