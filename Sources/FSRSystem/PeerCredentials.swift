internal import CFSRLinux

/// Who is at the other end of a socket, as the kernel says and in this process's namespaces.
public struct PeerCredentials: Equatable, Sendable {
  public let pid: Int32
  public let uid: UInt32
  public let gid: UInt32

  public init(pid: Int32, uid: UInt32, gid: UInt32) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
  }

  init(_ raw: cfsr_credentials) { self.init(pid: raw.pid, uid: raw.uid, gid: raw.gid) }
}
