public import FSRSystem

/// The whole contract of a destination with its starter: the handoff socket is inherited, and its number
/// stands in an environment variable, which the destination unsets.
public enum DestinationStart {
  /// Says to the starter on the inherited socket why this process cannot be a destination at all.
  public static func refuse(_ error: any Error, on socket: borrowing UnixSocket) {
    // What was sent and not read would end the connection ahead of the answer.
    _ = try? socket.receive(
      limit: UnixSocket.messageLimit, maximumDescriptors: UnixSocket.descriptorLimit, timeout: helloTimeout)
    try? socket.send(Message.refused(Reason(of: error)).encoded)
  }

  public static let variable = "FSR_HANDOFF_FD"
  /// The number that our own starters use; a destination reads the variable.
  static let number: Int32 = 3
  /// How long a starter may take to say hello, in nanoseconds.
  private static let helloTimeout: UInt64 = 2_000_000_000
  /// The variable with that number.
  static var entry: [UInt8] { Array("\(variable)=\(number)".utf8) }
}
