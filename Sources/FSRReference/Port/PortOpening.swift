internal import FSRHost
internal import FSRSystem

/// Attaches a new VM's port to its tap, and says in one line why it cannot.
struct PortOpening {
  /// What it is, once it is set.
  private(set) var port: TapPort
  /// How its tap was before; nil where that goes with its queues.
  private(set) var found: TapNote.Entry?
  private(set) var queues: [Owned<TapQueue>] = []

  init(_ port: TapPort) { self.port = port }

  /// Attaches all queues, and changes nothing.
  ///
  /// - Throws: `VMError` `refused`.
  mutating func attach() throws(VMError) {
    do throws(SystemError) {
      for _ in 0..<port.queues {
        queues.append(Owned(try TapQueue.attach(port.tap, isMultiQueue: port.queues > 1)))
      }
      // The kernel lets several processes have queues of one tap; then each would have some of the frames.
      if try TapQueue.count(of: port.tap) > queues.count { throw SystemError.busy("TUNSETIFF", port.tap) }
      guard let queue = queues.first, try queue.value.identity().isPersistent else { return }
      let mtu = port.mtu > 0 ? try NetworkInterface.mtu(of: port.tap) : nil
      // A kernel that does not tell has it left as it will be.
      if let settings = try? queue.value.settings() {
        found = TapNote.Entry(tap: port.tap, settings: settings, mtu: mtu)
      }
    } catch { throw refusal(error) }
  }

  /// Sets the tap as the port says.
  ///
  /// - Throws: `VMError` `refused`.
  mutating func set() throws(VMError) {
    do throws(SystemError) {
      if let queue = queues.first {
        try queue.value.setHeaderSize()
        try queue.value.setOffloads(port.offloads)
        try queue.value.accept(only: port.mac.bytes)
      }
      if port.mtu > 0 { try NetworkInterface.setMTU(port.mtu, of: port.tap) }
      port.mtu = try NetworkInterface.mtu(of: port.tap)
    } catch { throw refusal(error) }
  }

  private func refusal(_ error: SystemError) -> VMError {
    VMError(
      .refused,
      "tap \(port.tap) cannot be had: \(error.call) \(error.subject): \(error.meaning)", remedy: remedy(error)
    )
  }

  private func remedy(_ error: SystemError) -> String {
    let isOpening = error.call == "open"
    let kind = port.queues > 1 ? "mode tap multi_queue" : "mode tap"
    if isOpening, error.isMissing || error.isNoDevice {
      return "load the kernel's module (modprobe tun), or give the container /dev/net/tun"
    }
    if error.isBusy { return "another process has it: name another tap with --nic" }
    if error.isNotPermitted {
      let own = "have root make one for you: ip tuntap add dev \(port.tap) \(kind) user NAME"
      return error.call == "SIOCSIFMTU"
        ? "run with CAP_NET_ADMIN, or leave mtu= out" : "run with CAP_NET_ADMIN, or \(own)"
    }
    if error.call == "TUNSETIFF", error.isInvalid {
      return "it is there, but not as asked for: with queues=N it is made by `ip tuntap add dev \(port.tap) "
        + "mode tap multi_queue`, with one queue without multi_queue"
    }
    return "see `ip -d link show dev \(port.tap)`"
  }
}
