internal import FSRState

/// How a guest ended, as the text of the file `ended`.
extension GuestEnd {
  package var text: String {
    switch self {
    case .passed: "passed"
    case .failed(let code): "failed \(code)"
    case .reset: "reset"
    case .crashed(let cause, let address): "crashed \(cause) \(address)"
    case .hostRequest(let value): "request \(value)"
    }
  }

  /// The exit status of a VMM whose guest ended so, which a service manager takes for the service's: the guest's own code
  /// where it is one, else 1.
  package var exitStatus: Int32 {
    switch self {
    case .passed: 0
    case .failed(let code): (1...255).contains(code) ? Int32(code) : 1
    case .reset, .crashed, .hostRequest: 1
    }
  }

  init?(text: String) {
    let words = text.split(separator: " ")
    if words.count == 3, words[0] == "crashed", let cause = UInt64(words[1]), let address = UInt64(words[2]) {
      self = .crashed(cause: cause, address: address)
      return
    }
    let number = words.count == 2 ? UInt64(words[1]) : nil
    switch (words.first, number) {
    case ("passed", nil): self = .passed
    case ("reset", nil): self = .reset
    case ("failed", let code?): self = .failed(code: code)
    case ("request", let value?): self = .hostRequest(value)
    case (_, _): return nil
    }
  }
}
