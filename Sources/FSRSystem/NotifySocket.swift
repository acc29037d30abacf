internal import CFSRLinux
internal import Glibc

/// Where a service manager wants to hear how the service is (sd_notify(3)).
///
/// The variable stays in the environment: whoever this process starts to take its place tells it too.
public struct NotifySocket: Sendable {
  private static let prefix = Array("NOTIFY_SOCKET=".utf8)
  /// How long one try waits for room in the manager's queue, in nanoseconds.
  private static let timeout: UInt64 = 250_000_000
  /// How long it has been tried when that is said, in nanoseconds.
  private static let wonder: UInt64 = 3_000_000_000

  /// With a zero behind it.
  private let name: [CChar]

  /// - Parameter environment: each "NAME=VALUE". Nil where it names no socket.
  public init?(environment: [[UInt8]]) {
    guard let entry = environment.first(where: { $0.starts(with: Self.prefix) }) else { return nil }
    let path = entry.dropFirst(Self.prefix.count)
    // Other kinds of address are for other machines.
    guard path.first == UInt8(ascii: "/") || path.first == UInt8(ascii: "@") else { return nil }
    name = path.map { CChar(bitPattern: $0) } + [0]
  }

  /// Sends assignments, each on a line, and returns once the manager's queue has taken them, however long that is full: what
  /// is said here is said once, and a manager that has not heard it takes the service for ended.
  ///
  /// - Parameters:
  ///   - isWanted: asked between two tries; where it says no it is given up.
  ///   - wait: told, once, when it has been tried for seconds.
  /// - Throws: where there is nobody who listens; this process goes on then.
  public func tell(
    _ assignments: [String], while isWanted: () -> Bool = { true }, onDelay wait: () -> Void = {}
  ) throws(SystemError) {
    let bytes = Array(assignments.joined(separator: "\n").utf8)
    let begin = MonotonicClock.now()
    var isSaid = false
    while isWanted() {
      // SAFETY: the name and the bytes live as long as the call, which reads as many as there are.
      let answer = unsafe bytes.withUnsafeBytes {
        unsafe cfsr_send_datagram(name, $0.baseAddress, $0.count, Self.timeout)
      }
      // No room in the queue, or no memory for it, at the moment.
      guard [-EAGAIN, -EINTR, -ENOBUFS, -ENOMEM].contains(answer) else {
        try check(answer, "sendto", on: "the service manager")
        return
      }
      if !isSaid, MonotonicClock.now() - begin >= Self.wonder {
        isSaid = true
        wait()
      }
      if answer == -ENOBUFS || answer == -ENOMEM { MonotonicClock.sleep(Self.timeout) }
    }
  }
}
