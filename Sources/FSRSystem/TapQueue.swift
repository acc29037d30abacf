internal import CFSRLinux
internal import Glibc

/// One queue of a tap device, the host's end of a network card: frames that the host sends to the interface are
/// read here, frames that are written here come in at the interface.
///
/// Every frame has a virtio-net header of `TapQueue.headerSize` bytes before it. The queue stays attached, and
/// frames wait in it, as long as any descriptor of it is open anywhere. No call waits.
public struct TapQueue: ~Copyable, Sendable {
  /// Bytes before each frame: virtio 1's header.
  public static let headerSize = 12
  /// Bytes of an Ethernet header.
  public static let ethernetSize = 14
  /// Bytes of the longest header and frame that come at once.
  public static let frameLimit = headerSize + ethernetSize + 65536

  /// For a `Poller`: readable while a frame waits.
  public let descriptor: OwnedDescriptor

  /// Attaches to the tap named `name`, or makes one, which then is there as long as its queues are.
  ///
  /// ENOENT or ENODEV without /dev/net/tun, EPERM without the right, EBUSY where another has it, EINVAL where the
  /// interface is no tap, or has several queues and one was asked for, or the other way round.
  public static func attach(_ name: String, isMultiQueue: Bool) throws(SystemError) -> TapQueue {
    try LeafName.check(name, "TUNSETIFF")
    let queue = TapQueue(
      adopting: OwnedDescriptor(adopting: try check(cfsr_tap_open(), "open", on: "/dev/net/tun")))
    let flags = CFSR_TAP | CFSR_TAP_NO_PI | CFSR_TAP_VNET_HEADER | (isMultiQueue ? CFSR_TAP_MULTI_QUEUE : 0)
    // SAFETY: the C string lives for the call.
    let answer = unsafe name.withCString { unsafe cfsr_tap_attach(queue.descriptor.raw, $0, flags) }
    try check(answer, "TUNSETIFF", on: name)
    return queue
  }

  /// Takes a descriptor that is said to be a queue of a tap: see `identity`.
  public init(adopting descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

  /// Which tap a queue belongs to.
  public struct Identity: Equatable, Sendable {
    public let name: String
    public let isMultiQueue: Bool
    /// Whether it stays when the last queue goes.
    public let isPersistent: Bool
    /// Whether it gives frames behind a virtio-net header and nothing else, as this type expects.
    public let hasHeader: Bool
  }

  /// Fails where the descriptor is none of an attached tap.
  public func identity() throws(SystemError) -> Identity {
    var name = [CChar](repeating: 0, count: CFSR_INTERFACE_NAME_ROOM)
    var flags: Int32 = 0
    // SAFETY: the call writes as many bytes as there are, a zero among them.
    try check(
      unsafe cfsr_tap_identity(descriptor.raw, &name, &flags), "TUNGETIFF", on: descriptor.subject)
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return Identity(
      name: String(decoding: bytes, as: UTF8.self), isMultiQueue: flags & CFSR_TAP_MULTI_QUEUE != 0,
      isPersistent: flags & CFSR_TAP_PERSISTENT != 0,
      hasHeader: flags & CFSR_TAP != 0 && flags & CFSR_TAP_NO_PI != 0 && flags & CFSR_TAP_VNET_HEADER != 0)
  }

  /// How many queues the tap `name` of this process's network namespace has, whoever has attached them. 0 of a
  /// tap that can have only one.
  public static func count(of name: String) throws(SystemError) -> Int {
    // SAFETY: the C string lives for the call.
    let answer = unsafe name.withCString { unsafe cfsr_tap_queue_count($0) }
    return Int(try check(answer, "RTM_GETLINK", on: name))
  }

  // MARK: what holds for all queues of the tap

  /// Bytes before each frame.
  public func headerSize() throws(SystemError) -> Int {
    Int(try check(cfsr_tap_header_size(descriptor.raw), "TUNGETVNETHDRSZ", on: descriptor.subject))
  }

  /// Makes the header as long as this type expects.
  public func setHeaderSize() throws(SystemError) { try setHeaderSize(Self.headerSize) }

  func setHeaderSize(_ bytes: Int) throws(SystemError) {
    try check(
      cfsr_tap_set_header_size(descriptor.raw, Int32(clamping: bytes)), "TUNSETVNETHDRSZ",
      on: descriptor.subject)
  }

  /// What the host may leave undone in the frames that it sends here.
  public func setOffloads(_ offloads: TapOffloads) throws(SystemError) {
    try setOffloads(UInt32(offloads.rawValue))
  }

  func setOffloads(_ offloads: UInt32) throws(SystemError) {
    try check(cfsr_tap_set_offloads(descriptor.raw, offloads), "TUNSETOFFLOAD", on: descriptor.subject)
  }

  /// Lets only frames in that go to `address`, to a group or to all.
  public func accept(only address: [UInt8]) throws(SystemError) {
    precondition(address.count == 6, "an Ethernet address has six bytes")
    // SAFETY: six bytes, as was checked; they live for the call.
    try check(unsafe cfsr_tap_accept_only(descriptor.raw, address), "TUNSETTXFILTER", on: descriptor.subject)
  }

  /// Lets all frames in again.
  public func acceptAll() throws(SystemError) {
    try check(cfsr_tap_accept_all(descriptor.raw), "TUNSETTXFILTER", on: descriptor.subject)
  }

  // MARK: frames

  /// Puts the next header and frame into `buffer`, which has room for `frameLimit` bytes; answers how many bytes
  /// they are, nil where none waits. It fails for good where the tap is gone.
  public func read(into buffer: inout [UInt8]) throws(SystemError) -> Int? {
    precondition(buffer.count >= Self.frameLimit, "room for any frame")
    let count = buffer.count
    var answer: Int64 = 0
    // SAFETY: the kernel writes at most as many bytes as there are.
    unsafe buffer.withUnsafeMutableBytes {
      unsafe answer = cfsr_read(descriptor.raw, $0.baseAddress!, count)
    }
    if answer == -Int64(EAGAIN) { return nil }
    return try check(answer, "read", on: descriptor.subject)
  }

  /// Sends the header and frame in the first `count` bytes of `buffer`; EIO where the interface is down.
  public func write(_ buffer: [UInt8], count: Int) throws(SystemError) {
    precondition((Self.headerSize + Self.ethernetSize...buffer.count).contains(count), "a frame")
    var answer: Int64 = 0
    // SAFETY: the array has as many bytes, and lives for the closure.
    unsafe buffer.withUnsafeBytes { unsafe answer = cfsr_write(descriptor.raw, $0.baseAddress!, count) }
    try check(answer, "write", on: descriptor.subject)
  }
}

/// What a network card does so that its driver need not.
public struct TapOffloads: OptionSet, Sendable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Checksums of TCP and UDP.
  public static let checksum = TapOffloads(rawValue: 1)
  /// Cutting of TCP over IPv4 into segments; only with `checksum`.
  public static let segment4 = TapOffloads(rawValue: 2)
  /// The same over IPv6.
  public static let segment6 = TapOffloads(rawValue: 4)

  public static let all: TapOffloads = [.checksum, .segment4, .segment6]
}

/// A network interface of this process's network namespace.
public enum NetworkInterface {
  /// Bytes that a frame carries at most.
  public static func mtu(of name: String) throws(SystemError) -> Int {
    // SAFETY: the C string lives for the call.
    Int(try check(unsafe name.withCString { unsafe cfsr_interface_mtu($0) }, "SIOCGIFMTU", on: name))
  }

  public static func setMTU(_ mtu: Int, of name: String) throws(SystemError) {
    // SAFETY: the C string lives for the call.
    let answer = unsafe name.withCString { unsafe cfsr_interface_set_mtu($0, Int32(clamping: mtu)) }
    try check(answer, "SIOCSIFMTU", on: name)
  }
}
