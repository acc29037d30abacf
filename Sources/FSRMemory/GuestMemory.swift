public import FSRSystem

/// The guest's RAM: a memfd, sealed in size, mapped into this process.
///
/// Offsets count from the start of RAM, not from the guest-physical address at which the board shows it.
/// vCPU threads, devices and the handoff share one instance.
public final class GuestMemory: Sendable {
  /// The mapping; every access to it is checked.
  public let region: MappedRegion
  /// The memfd, for handing over.
  public let descriptor: OwnedDescriptor
  /// Bytes of RAM.
  public var size: UInt64 { region.length }

  /// Makes new RAM of `size` bytes, all zero, which take memory only once touched.
  ///
  /// - Parameter nodes: where on the host it is to lie; anywhere where nil.
  public convenience init(size: UInt64, on nodes: NodeSet? = nil, name: String = "fsr-ram") throws {
    try self.init(adopting: try Memfd.create(name: name, size: size), size: size)
    if let nodes { try place(on: nodes) }
  }

  /// Makes new RAM of huge pages, all of which are there at once; `size` is a multiple of their size.
  ///
  /// - Throws: `MemoryError.noHugePages` where the host's pool, or that of `nodes`, has too few.
  public convenience init(hugePagesOf size: UInt64, on nodes: NodeSet? = nil, name: String = "fsr-ram") throws
  {
    do {
      // A mapping takes its share of the pool, and fails where that is too small.
      try self.init(adopting: try Memfd.create(name: name, size: size, hugePages: true), size: size)
    } catch let error as SystemError {
      throw MemoryError.noHugePages(needed: size / Self.hugePageSize, on: nodes, error)
    }
    // Before the first page is there: none of them moves later.
    if let nodes { try place(on: nodes) }
    do throws(SystemError) { try allocate(on: nodes) } catch {
      throw MemoryError.noHugePages(needed: size / Self.hugePageSize, on: nodes, error)
    }
  }

  /// Maps RAM that a peer handed over.
  ///
  /// - Throws: `MemoryError.unsealed` where its size could still change, which would be a SIGBUS for us.
  public init(adopting descriptor: consuming OwnedDescriptor, size: UInt64) throws {
    guard Memfd.isSizeSealed(descriptor) else { throw MemoryError.unsealed }
    let has = try descriptor.size()
    guard has >= size else { throw MemoryError.tooShort(has: has, says: size) }
    region = try MappedRegion(mapping: descriptor, length: size)
    try region.excludeFromCoreDumps()
    self.descriptor = descriptor
  }
}

extension GuestMemory {
  /// Takes memory for every page. A memfd of huge pages has no policy of its own: here the thread's counts.
  private func allocate(on nodes: NodeSet?) throws(SystemError) {
    guard let nodes else { return try descriptor.allocate(at: 0, length: size) }
    let before = try MemoryPolicy.ofThread()
    try MemoryPolicy.confined(to: nodes).applyToThread()
    let result = Result { () throws(SystemError) in try descriptor.allocate(at: 0, length: size) }
    try before.applyToThread()
    try result.get()
  }

  public static let pageSize: UInt64 = 4096
  public static let hugePageSize: UInt64 = 2 << 20

  /// Pages that take memory now.
  public func residentPages() throws -> UInt64 { try descriptor.allocatedBytes() / Self.pageSize }

  /// Maps the pages that are there into this process ahead, so that the guest's first touch of them after a
  /// handoff is no fault. Holes stay holes: a page that nobody has touched takes no memory.
  ///
  /// - Parameters:
  ///   - range: bytes, whole pages, of which none is watched by a `UserFault`: that hangs.
  ///   - progress: told up to which offset it has come, after stretches of at most 64 MiB.
  public func mapPresentPages(in range: Range<UInt64>, progress: (UInt64) -> Void = { _ in }) throws {
    let stretch: UInt64 = 64 << 20
    var offset = range.lowerBound
    while offset < range.upperBound, let data = try descriptor.nextData(from: offset),
      data.lowerBound < range.upperBound
    {
      var start = data.lowerBound
      while start < min(data.upperBound, range.upperBound) {
        let count = min(stretch, data.upperBound - start, range.upperBound - start)
        try region.populate(start, count: count)
        start += count
        progress(start)
      }
      offset = data.upperBound
    }
  }

  /// Takes the pages of `range`, whole ones, out of this process's page tables, as its end would do. What the
  /// guest has in them stays, for whoever has it now.
  public func unmapPages(_ range: Range<UInt64>) throws(SystemError) {
    try region.unmapPages(range.lowerBound, count: range.upperBound - range.lowerBound)
  }
}

extension GuestMemory {
  /// Puts pages on `nodes` from now on: bound to one, in turn on several. Those that are there stay where they are.
  ///
  /// The policy is the memfd's: it stays with the guest, whatever process maps it, and is set only where it differs. Of
  /// huge pages it is the mapping's, and all of them are there from the start.
  public func place(on nodes: NodeSet) throws(MemoryError) {
    let wanted = MemoryPolicy.confined(to: nodes)
    do throws(SystemError) {
      if try region.placement() != wanted { try region.place(wanted) }
    } catch { throw .notPlaced(nodes, error) }
  }
}

extension GuestMemory {
  /// Keeps the first `bytes`, whole pages, resident for as long as this process maps them; those that nobody has
  /// touched take memory from now on.
  ///
  /// - Throws: `MemoryError.notLocked`.
  public func reserve(_ bytes: UInt64) throws(MemoryError) {
    do throws(SystemError) { try region.lock(0, count: bytes) } catch {
      throw .notLocked(bytes: bytes, hasRight: (try? Capabilities.has(.ipcLock)) ?? false, error)
    }
  }

  /// Gives the promise of `reserve` back for `range`, whole pages. Whoever else has locked them keeps them resident.
  public func unreserve(_ range: Range<UInt64>) {
    // What cannot be unlocked is given back by the end of the process.
    try? region.unlock(range.lowerBound, count: range.upperBound - range.lowerBound)
  }
}

/// Why memory was refused.
public enum MemoryError: Reasoned, Equatable {
  /// The peer's memfd may still shrink or grow.
  case unsealed
  /// The memfd holds fewer bytes than its description says.
  case tooShort(has: UInt64, says: UInt64)
  /// The kernel does not keep so much resident for this process.
  case notLocked(bytes: UInt64, hasRight: Bool, SystemError)
  /// The host's pool has too few pages of 2 MiB.
  case noHugePages(needed: UInt64, on: NodeSet?, SystemError)
  /// The kernel does not put it on these nodes.
  case notPlaced(NodeSet, SystemError)

  public var reason: Reason {
    switch self {
    case .unsealed: Reason("guest memory whose size may still change")
    case .tooShort(let has, let says): Reason("guest memory of \(has) bytes where \(says) are told")
    case .notPlaced(let nodes, let error):
      Reason(
        "guest memory cannot be put on node \(nodes): \(error.call): \(error.meaning)",
        remedy: "name nodes with memory that this process may use (Mems_allowed_list in /proc/self/status)",
        code: .headroom)
    case .noHugePages(let needed, let nodes, let error):
      Self.noHugePages(needed, nodes, error, free: HugePagePool.free(on: nodes))
    case .notLocked(let bytes, let hasRight, let error):
      hasRight
        ? error.reason.causing("\(bytes) bytes of guest memory cannot be locked")
        : Reason(
          "\(bytes) bytes of guest memory cannot be locked: RLIMIT_MEMLOCK is too low and CAP_IPC_LOCK is missing",
          remedy: "raise the limit (ulimit -l), run as root, or reserve less", code: error.reason.code)
    }
  }

  /// - Parameter free: pages of the pool that nobody has; nil where that cannot be told.
  package static func noHugePages(_ needed: UInt64, _ nodes: NodeSet?, _ error: SystemError, free: UInt64?)
    -> Reason
  {
    let place = nodes.map { " on node \($0)" } ?? ""
    let what = "\(needed) pages of 2M are not to be had\(place) (\(error.call): \(error.meaning))"
    guard let free, free >= needed else {
      return Reason(
        what + (free.map { ", of which \($0) are free" } ?? ""),
        remedy: "the host's administrator makes some with `sysctl vm.nr_hugepages=NUMBER`", code: .headroom)
    }
    return Reason(
      "\(what), though \(free) are free: a control group allows fewer",
      remedy: "raise its limit (hugetlb.2MB.max, and hugetlb.2MB.rsvd.max)", code: .headroom)
  }
}
