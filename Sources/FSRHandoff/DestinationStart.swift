/// The whole contract of a destination with its starter: the handoff socket is inherited, and its number
/// stands in an environment variable, which the destination unsets.
public enum DestinationStart {
  public static let variable = "FSR_HANDOFF_FD"
  /// The number that our own starters use; a destination reads the variable.
  static let number: Int32 = 3
}
