internal import CFSRTestLinux
public import FSRSystem

/// A network namespace of a test's own, with nothing in it but what the test makes.
public enum TestNetwork {
  /// Runs `body` on a thread in a new namespace, where its processes and threads are too.
  ///
  /// Nil, which is said loudly, where there can be none, or no taps.
  public static func run<Answer: Sendable>(_ body: @escaping @Sendable () throws -> Answer) async
    -> Result<Answer, any Error>?
  {
    await Blocking.run {
      if let obstacle = enter() {
        try? OwnedDescriptor.standardError().write(
          Array("SKIPPED: no network of its own: \(obstacle)\n".utf8))
        return nil
      }
      return Result { try body() }
    }
  }

  private static func enter() -> String? {
    let answer = cfsrtest_new_network()
    if answer < 0 { return "\(SystemError("unshare", errno: -answer))" }
    // Frames of the host's own would be counted with the test's.
    for place in ["all", "default"] {
      try? OwnedDescriptor.open("/proc/sys/net/ipv6/conf/\(place)/disable_ipv6", .readWrite).write(
        Array("1".utf8))
    }
    do {
      _ = try TapQueue.attach("probe", isMultiQueue: false)
      return nil
    } catch { return "\(error)" }
  }

  public static func bringUp(_ name: String) throws(SystemError) {
    // SAFETY: the C string lives for the call.
    try check(unsafe name.withCString { unsafe cfsrtest_interface_up($0) }, "SIOCSIFFLAGS", name)
  }

  /// A tap that stays, as an operator makes them.
  public static func makeTap(_ name: String, isMultiQueue: Bool = false) throws(SystemError) {
    let queue = try TapQueue.attach(name, isMultiQueue: isMultiQueue)
    try check(cfsrtest_tap_persist(queue.descriptor.number, 1), "TUNSETPERSIST", name)
    try bringUp(name)
  }

  /// Removes a tap, whoever has it.
  public static func remove(_ name: String) throws(SystemError) {
    // SAFETY: the C string lives for the call.
    try check(unsafe name.withCString { unsafe cfsrtest_remove_interface($0) }, "RTM_DELLINK", name)
  }

  /// Reads what the interface receives; what is written to it the interface sends.
  public static func packets(on name: String) throws(SystemError) -> OwnedDescriptor {
    // SAFETY: the C string lives for the call.
    let answer = unsafe name.withCString { unsafe cfsrtest_packet_socket($0) }
    try check(answer, "AF_PACKET", name)
    return OwnedDescriptor(adopting: answer)
  }

  private static func check(_ answer: Int32, _ call: String, _ name: String) throws(SystemError) {
    if answer < 0 { throw SystemError(call, on: name, errno: -answer) }
  }
}
