/// What a new VMM answers: the guest runs, or why not.
package enum VMStartReply: Equatable {
  case running
  case refused(String)

  package var encoded: [UInt8] {
    switch self {
    case .running: [0]
    case .refused(let reason): [1] + Array(reason.utf8.prefix(4096))
    }
  }

  package init?(_ bytes: [UInt8]) {
    switch bytes.first {
    case 0: self = .running
    case 1: self = .refused(String(decoding: bytes.dropFirst(), as: UTF8.self))
    default: return nil
    }
  }
}
