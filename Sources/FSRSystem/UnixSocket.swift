internal import CFSRLinux
internal import Glibc

/// One end of a local connection that keeps messages apart (SOCK_SEQPACKET) and carries descriptors; or a
/// listener for such connections. Close-on-exec.
public struct UnixSocket: ~Copyable, Sendable {
  /// Bytes in one message at most.
  public static let messageLimit = 65536
  /// Descriptors in one message at most: the kernel's own bound (SCM_MAX_FD).
  public static let descriptorLimit = 253

  /// For a `Poller`, and for a child's table.
  public let descriptor: OwnedDescriptor

  public init(adopting descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

  /// Gives the descriptor away, to send it or to keep it over an exec.
  public consuming func release() -> OwnedDescriptor { descriptor }

  /// Two connected ends.
  public static func pair() throws(SystemError) -> SocketPair {
    var a: Int32 = -1
    var b: Int32 = -1
    // SAFETY: two numbers, written by the call alone.
    try check(unsafe cfsr_socket_pair(&a, &b), "socketpair")
    return SocketPair(
      a: UnixSocket(adopting: OwnedDescriptor(adopting: a)),
      b: UnixSocket(adopting: OwnedDescriptor(adopting: b)))
  }

  /// A non-blocking listener at `name`, mode 0600. EADDRINUSE if anything has that name, a dead socket
  /// included: whoever knows that it is dead unlinks it.
  public static func listen(in directory: borrowing Directory, name: String, backlog: Int32 = 64)
    throws(SystemError) -> UnixSocket
  {
    try LeafName.check(name, "bind")
    let socket = OwnedDescriptor(adopting: try check(cfsr_socket(1), "socket"))
    // The file gets the mode that the unbound socket has: no moment with a wider one, and no umask, which is
    // the whole process's.
    try check(cfsr_change_mode(socket.raw, 0o600), "fchmod", on: name)
    try bind(socket, to: name, in: directory)
    try check(cfsr_listen(socket.raw, backlog), "listen", on: name)
    return UnixSocket(adopting: socket)
  }

  /// Bytes in a socket's address, of which the last one ends it.
  private static let addressLimit = 108

  /// Binds by the path that everybody knows, which a cleaner finds in /proc/net/unix and then leaves the file alone;
  /// where that is too long, by one through this process.
  private static func bind(
    _ socket: borrowing OwnedDescriptor, to name: String, in directory: borrowing Directory
  )
    throws(SystemError)
  {
    if let whole = try? directory.path() + "/\(name)", whole.hasPrefix("/"), whole.utf8.count < addressLimit {
      // SAFETY: the C string lives for the call.
      let answer = unsafe whole.withCString { unsafe cfsr_bind(socket.raw, $0) }
      if answer == -EADDRINUSE { try check(answer, "bind", on: name) }
      if answer >= 0 {
        // Of a folder that was moved meanwhile it lies elsewhere.
        guard try directory.exists(name) else { throw SystemError("bind", on: name, errno: ENOENT) }
        return
      }
    }
    let path = try path(of: name, in: directory, "bind")
    // SAFETY: the C string lives for the call.
    try check(unsafe path.withCString { unsafe cfsr_bind(socket.raw, $0) }, "bind", on: name)
  }

  /// Connects to the listener at `name`. ECONNREFUSED if nobody listens there; ETIMEDOUT when its backlog
  /// stays full for `timeout` nanoseconds (nil waits without end).
  public static func connect(in directory: borrowing Directory, name: String, timeout: UInt64? = nil)
    throws(SystemError) -> UnixSocket
  {
    let path = try path(of: name, in: directory, "connect")
    let socket = UnixSocket(adopting: OwnedDescriptor(adopting: try check(cfsr_socket(0), "socket")))
    if let timeout { try socket.setSendTimeout(timeout) }
    let number = socket.descriptor.raw
    // SAFETY: the C string lives for the call.
    let answer = unsafe path.withCString { unsafe cfsr_connect(number, $0) }
    // What is there and is not found is looked for where nothing is mounted.
    if answer == -ENOENT, try directory.exists(name) { try check(answer, "connect", on: path) }
    try check(answer == -EAGAIN ? -ETIMEDOUT : answer, "connect", on: name)
    if timeout != nil { try socket.setSendTimeout(nil) }
    return socket
  }

  /// A path short enough for a socket's address however long the directory's own is.
  private static func path(of name: String, in directory: borrowing Directory, _ call: String)
    throws(SystemError) -> String
  {
    try LeafName.check(name, call)
    return "/proc/self/fd/\(directory.number)/\(name)"
  }

  /// The next connection of a listener; nil when nobody waits.
  public func accept() throws(SystemError) -> UnixSocket? {
    let answer = cfsr_accept(descriptor.raw)
    // One that hung up before it was taken is nobody.
    if answer == -EAGAIN || answer == -ECONNABORTED { return nil }
    return UnixSocket(
      adopting: OwnedDescriptor(adopting: try check(answer, "accept4", on: descriptor.subject)))
  }

  /// Who connected, or listened, at the other end (SO_PEERCRED).
  public func peer() throws(SystemError) -> PeerCredentials {
    var raw = cfsr_credentials()
    // SAFETY: written by the call alone.
    try check(unsafe cfsr_peer(descriptor.raw, &raw), "getsockopt SO_PEERCRED", on: descriptor.subject)
    return PeerCredentials(raw)
  }

  /// Whether it is a socket of this kind that others can connect to (SO_ACCEPTCONN).
  public func isListening() throws(SystemError) -> Bool {
    try check(cfsr_is_listener(descriptor.raw), "getsockopt SO_ACCEPTCONN", on: descriptor.subject) == 1
  }

  /// Has the kernel stamp each message that arrives from now on with its sender (SO_PASSCRED).
  public func passSenderCredentials() throws(SystemError) {
    try check(cfsr_pass_credentials(descriptor.raw), "setsockopt SO_PASSCRED", on: descriptor.subject)
  }

  /// How long a send may wait for room, in nanoseconds, rounded up to microseconds; nil without end.
  public func setSendTimeout(_ nanoseconds: UInt64?) throws(SystemError) {
    // Zero would mean "without end" to the kernel.
    let rounded = nanoseconds.map { max(1000, $0 > .max - 999 ? $0 : $0 + 999) } ?? 0
    try check(cfsr_send_timeout(descriptor.raw, rounded), "setsockopt SO_SNDTIMEO", on: descriptor.subject)
  }

  /// Ends the connection for both directions and every duplicate of the descriptor.
  public func shutdown() throws(SystemError) {
    try check(cfsr_shutdown(descriptor.raw), "shutdown", on: descriptor.subject)
  }
}

/// The two ends of a connection.
@frozen public struct SocketPair: ~Copyable, Sendable {
  public var a: UnixSocket
  public var b: UnixSocket
}
