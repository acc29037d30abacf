import FSRSystem
import Glibc

/// A socket that takes datagrams, as a service manager's does.
public struct DatagramListener: ~Copyable, Sendable {
  private let socket: OwnedDescriptor

  /// - Parameter path: of a file that is not there yet; short enough for an address.
  public init(path: String) throws {
    let number = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard number >= 0 else { throw Absent() }
    let made = OwnedDescriptor(adopting: number)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    // SAFETY: the path is shorter than the room for it, which is zeros before.
    let bound = unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      guard bytes.count < room.count else { return false }
      unsafe room.copyBytes(from: bytes)
      return true
    }
    guard bound else { throw Absent() }
    // SAFETY: the address lives as long as the call.
    let answer = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard answer == 0 else { throw Absent() }
    socket = made
  }

  /// The next datagram; nil if none comes within `timeout` nanoseconds.
  public func next(timeout: UInt64) throws -> String? {
    var poller = Poller()
    poller.watch(socket, token: 0)
    guard try poller.wait(timeout: timeout).contains(0) else { return nil }
    return String(decoding: try socket.read(limit: 4096), as: UTF8.self)
  }
}
