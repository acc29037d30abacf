package import FSRSystem

/// What a client asks of a VMM on its control socket, besides a handoff (`Message.request`).
///
/// One packet: a kind that no handoff message has. The answer is one packet too, or the socket's end; a verb that the VMM
/// does not have is refused (`Message.refused`).
public enum ControlVerb: UInt16, CaseIterable, Sendable {
  /// Answered with an encoded `VMReport`.
  case status = 256
  /// Answered with the connection's end, when the guest has stopped and everything is gone with the process.
  case stop = 257
  /// Answered with one byte, 0, and the descriptor of the console's memory.
  case console = 258
  /// Answered with a `PauseAnswer` once no vCPU runs.
  case pause = 259
  /// Answered with a `PauseAnswer` once the vCPUs may run.
  case resume = 260
  /// Answered with one byte, 0, and descriptors of the files that nobody but the VM's owner is to write. A client may see
  /// more of the host's processes than a VMM, which has given up its rights.
  case files = 261

  package var encoded: [UInt8] { [UInt8(truncatingIfNeeded: rawValue), UInt8(rawValue >> 8)] }

  package init?(_ bytes: [UInt8]) {
    guard bytes.count == 2 else { return nil }
    self.init(rawValue: UInt16(bytes[0]) | UInt16(bytes[1]) << 8)
  }

  /// As `fsr status` prints it.
  public var name: String {
    switch self {
    case .status: "status"
    case .stop: "stop"
    case .console: "console"
    case .pause: "pause"
    case .resume: "resume"
    case .files: "files"
    }
  }

  /// Why a VMM of the kind `kind` does not do it.
  package static func reason(for verb: ControlVerb, of kind: String) -> Reason {
    Reason("a VMM of the kind \(kind) cannot do that: it has no \(verb.name)", code: .unsupported)
  }
}
