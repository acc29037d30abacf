import FSRSystem

/// Users without rights, as whom root's tests run the built command.
///
/// They run a copy of it: the package may lie where nobody else may look, as in root's home.
public enum OtherUser {
  /// Begins a script: `$FSR` is from here on a copy in the folder that the script is in, which everybody may read then.
  public static let copy = "cp \"$FSR\" fsr && chmod 755 . fsr && FSR=$PWD/fsr || exit 89"

  /// Whether there is somebody else to be, and whether he can run the command: it needs the toolchain's libraries, which may
  /// lie in root's home too. Says why not.
  public static let canRunCommand: Bool = {
    guard Host.effectiveUserID == 0 else { return skip("not root") }
    let result = try? BuiltCommand.shell(
      """
      cd "$(mktemp -d)" && trap 'rm -r "$PWD"' EXIT && \(copy) &&
        setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all ./fsr --version
      """)
    return result?.code == 0 ? true : skip(result?.errors ?? "no shell")
  }()

  private static func skip(_ reason: String) -> Bool {
    let line = reason.split(separator: "\n").last ?? ""
    try? OwnedDescriptor.standardError().write(Array("SKIPPED: what other users may: \(line)\n".utf8))
    return false
  }
}
