internal import CFSRLinux

/// The host's journal, as systemd-journald takes it from programs (its native protocol).
public struct JournalSocket: Sendable {
  private let path: String

  public init(path: String = "/run/systemd/journal/socket") { self.path = path }

  /// Sends one entry, a line for each field: names in capitals, values without line breaks, which become spaces. A journal that
  /// is not there, or takes nothing at the moment, gets nothing: nobody waits for it.
  public func tell(_ fields: [(name: String, value: String)]) {
    var text = ""
    for field in fields {
      text += "\(field.name)=\(String(field.value.map { $0.isNewline ? " " : $0 }))\n"
    }
    let bytes = Array(text.utf8)
    // SAFETY: the path and the bytes live as long as the call, which reads as many as there are.
    _ = unsafe path.withCString { path in
      unsafe bytes.withUnsafeBytes { unsafe cfsr_send_datagram(path, $0.baseAddress, $0.count, 0) }
    }
  }
}
