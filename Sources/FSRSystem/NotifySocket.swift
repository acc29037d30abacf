internal import CFSRLinux

/// Where a service manager wants to hear how the service is (sd_notify(3)).
///
/// The variable stays in the environment: whoever this process starts to take its place tells it too.
public struct NotifySocket: Sendable {
  private static let prefix = "NOTIFY_SOCKET="
  private let name: String

  /// - Parameter environment: each "NAME=VALUE". Nil where it names no socket.
  public init?(environment: [String]) {
    guard let entry = environment.first(where: { $0.hasPrefix(Self.prefix) }) else { return nil }
    name = String(entry.dropFirst(Self.prefix.count))
    // Other kinds of address are for other machines.
    guard name.hasPrefix("/") || name.hasPrefix("@") else { return nil }
  }

  /// Sends assignments, each on a line. A manager that does not listen gets nothing, and this process goes on.
  public func tell(_ assignments: [String]) throws(SystemError) {
    let bytes = Array(assignments.joined(separator: "\n").utf8)
    // SAFETY: the name and the bytes live as long as the call, which reads as many as there are.
    let answer = unsafe name.withCString { name in
      unsafe bytes.withUnsafeBytes { unsafe cfsr_send_datagram(name, $0.baseAddress, $0.count) }
    }
    try check(answer, "sendto", on: name)
  }
}
