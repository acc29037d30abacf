internal import CFSRLinux
internal import Glibc

/// A file descriptor with one owner, closed when the owner goes.
///
/// Everything in the package passes descriptors as this type, `consuming` when they leave.
public struct OwnedDescriptor: ~Copyable, Sendable {
  let raw: Int32

  /// Takes the ownership of `raw`, which nobody else closes from now on.
  public init(adopting raw: Int32) {
    precondition(raw >= 0, "a descriptor is not negative")
    self.raw = raw
  }

  deinit { _ = cfsr_close(raw) }

  /// The number, for messages and for a child's table; it stays owned here.
  public var number: Int32 { raw }

  /// A second descriptor of the same open file, close-on-exec.
  public func duplicate(lowest: Int32 = 3) throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try check(cfsr_duplicate(raw, lowest), "fcntl F_DUPFD_CLOEXEC"))
  }

  /// Gives the number away without closing it.
  public consuming func release() -> Int32 {
    let number = raw
    discard self
    return number
  }
}

/// Descriptors that travel together; an `Array` cannot hold what is not copyable.
public struct DescriptorBag: ~Copyable, Sendable {
  private var held: [Int32]

  public init() { held = [] }

  init(adopting numbers: [Int32]) { held = numbers }

  deinit { for number in held where number >= 0 { _ = cfsr_close(number) } }

  /// How many slots there are, taken ones included.
  public var count: Int { held.count }

  /// The numbers of the descriptors, -1 for one that was taken; they stay owned here.
  public var numbers: [Int32] { held }

  public mutating func append(_ descriptor: consuming OwnedDescriptor) {
    held.append(descriptor.release())
  }

  /// Takes the descriptor at `index` out; nil when there is none, or it was taken.
  public mutating func take(_ index: Int) -> OwnedDescriptor? {
    guard held.indices.contains(index), held[index] >= 0 else { return nil }
    defer { held[index] = -1 }
    return OwnedDescriptor(adopting: held[index])
  }
}

extension DescriptorBag {
  /// Second descriptors of all that were not taken, in their order.
  public func duplicate() throws(SystemError) -> DescriptorBag {
    var copy = DescriptorBag()
    for number in numbers where number >= 0 {
      copy.append(OwnedDescriptor(adopting: try check(cfsr_duplicate(number, 3), "fcntl F_DUPFD_CLOEXEC")))
    }
    return copy
  }

  /// Lends the descriptor at `index`; nothing happens where there is none.
  public func withDescriptor(at index: Int, _ body: (borrowing OwnedDescriptor) -> Void) {
    guard numbers.indices.contains(index), numbers[index] >= 0 else { return }
    let lent = OwnedDescriptor(adopting: numbers[index])
    body(lent)
    _ = lent.release()
  }

  /// All that were not taken; this bag is empty afterwards.
  public mutating func takeAll() -> DescriptorBag {
    var all = DescriptorBag()
    for index in 0..<count { if let one = take(index) { all.append(one) } }
    return all
  }
}

extension OwnedDescriptor {
  /// Opens `/dev/null` for each of the descriptors 0, 1 and 2 that is closed, so that no file that is opened later takes
  /// its place. Only for reading: whoever writes there is told (EBADF), as on the closed one. To be called before
  /// anything is opened and any thread is started.
  public static func fillStandardStreams() throws(SystemError) {
    for number: Int32 in 0...2 {
      guard fcntl(number, F_GETFD) < 0, errno == EBADF else { continue }
      // The lowest number that is free is the one that is missing.
      _ = try open("/dev/null", .read).release()
    }
  }

  /// Whether it was opened for writing.
  public var isWritable: Bool {
    let flags = fcntl(raw, F_GETFL)
    return flags >= 0 && flags & O_ACCMODE != O_RDONLY
  }

  /// A second descriptor of standard input; EBADF where there is none.
  public static func standardInput() throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try check(cfsr_duplicate(0, 3), "fcntl F_DUPFD_CLOEXEC", on: "standard input"))
  }

  /// A second descriptor of standard output, EBADF where there is none. It shares its position: who writes to
  /// the same file afterwards writes behind.
  public static func standardOutput() throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try check(cfsr_duplicate(1, 3), "fcntl F_DUPFD_CLOEXEC", on: "standard output"))
  }

  /// A second descriptor of standard error; EBADF where there is none.
  public static func standardError() throws(SystemError) -> OwnedDescriptor {
    OwnedDescriptor(adopting: try check(cfsr_duplicate(2, 3), "fcntl F_DUPFD_CLOEXEC", on: "standard error"))
  }
}
