internal import FSRMachine
internal import FSRState

extension Failure {
  /// Why the end of the guest of the VM `name` is no success; nil where it is one.
  init?(_ end: GuestEnd, of name: String) {
    switch end {
    case .passed: return nil
    case .failed(let code): self.init(.failed, "the guest of \(name) ended with code \(code)")
    case .reset: self.init(.failed, "the guest of \(name) asked for a reset")
    case .crashed(let cause, let address):
      let place = "0x" + String(address, radix: 16)
      self.init(
        .failed,
        "the guest of \(name) crashed: its vCPUs trap where no handler can be fetched (cause \(cause) at \(place))"
      )
    case .hostRequest(let value):
      self.init(.failed, "the guest of \(name) made host request \(value), which is not served here")
    }
  }
}
