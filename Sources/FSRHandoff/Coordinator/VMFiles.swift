/// The files in a VM's folder that a handoff knows.
public enum VMFiles {
  /// The control socket: its name stays the same whoever owns the VM.
  public static let socket = "control.sock"
  /// Where every VMM of this VM writes what goes to standard output and error.
  public static let log = "log"
  /// What whoever coordinates holds.
  public static let lock = "lock"
}
