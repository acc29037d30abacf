public import FSRSystem

/// Whom somebody may kill who knows him from a VM's files alone.
///
/// The files are their owner's, who may write any process into them. So only those end that the owner could end too: the
/// ones that work for that user and for nobody else.
public enum EndingRight {
  /// Whether `process`, which is `identity`, works for the user to whom `file` belongs: the VM's folder, or a block.
  /// Of one that cannot be looked at it is denied.
  public static func mayEnd(
    _ process: borrowing ProcessDescriptor, _ identity: ProcessIdentity,
    forOwnerOf file: borrowing OwnedDescriptor
  ) -> Bool {
    guard let owner = try? file.ownership().uid else { return false }
    return (try? process.works(for: owner, pid: identity.pid)) ?? false
  }

  /// Whether this process may end that party.
  ///
  /// - Throws: `HandoffError` `refused` where it may not. One that is gone may be.
  static func check(_ process: any PeerProcess, in folder: borrowing Directory, of name: String)
    throws(HandoffError)
  {
    if process.hasExited || process.mayBeEnded(forOwnerOf: folder.descriptor) { return }
    throw refusal(process.identities.first?.pid ?? 0, of: name)
  }

  /// - Parameter name: the VM's.
  /// - Throws: `HandoffError` `refused` where it may not be ended. One that is gone may.
  public static func check(
    _ process: borrowing ProcessDescriptor, _ identity: ProcessIdentity, in folder: borrowing Directory,
    of name: String
  ) throws(HandoffError) {
    if (try? process.hasExited()) == true || mayEnd(process, identity, forOwnerOf: folder.descriptor) {
      return
    }
    throw refusal(identity.pid, of: name)
  }

  private static func refusal(_ pid: Int32, of name: String) -> HandoffError {
    .refused(
      Reason(
        "the files of \(name) name process \(pid), which is not of the user to whom they belong, and is left alone",
        remedy:
          "where it is one of this VM (`ps -o pid,user,args -p \(pid)`) its user, or root, ends it with "
          + "`kill \(pid)`"))
  }
}
