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

  /// Fills its queue; answers how many datagrams that took.
  ///
  /// One sender's own buffer may be full before a long queue is (systemd has it hold 512): another one goes on then.
  public func fill(path: String) throws -> Int {
    var count = 0
    while true {
      let more = try send(path: path)
      if more == 0 { return count }
      count += more
    }
  }

  /// Sends until the queue, or the buffer of a sender that is new, is full.
  private func send(path: String) throws -> Int {
    let number = Glibc.socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard number >= 0 else { throw Absent() }
    let sender = OwnedDescriptor(adopting: number)
    var address = Self.address(path)
    var count = 0
    while true {
      // SAFETY: the address lives as long as the call; one byte is sent.
      let answer = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          unsafe sendto(sender.number, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      if answer < 0 { return count }
      count += 1
    }
  }

  private static func address(_ path: String) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // SAFETY: no more bytes than there is room for, which is zeros before.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      unsafe room.copyBytes(from: Array(path.utf8.prefix(room.count - 1)))
    }
    return address
  }

  /// The next datagram; nil if none comes within `timeout` nanoseconds.
  public func next(timeout: UInt64) throws -> String? {
    var poller = Poller()
    poller.watch(socket, token: 0)
    guard try poller.wait(timeout: timeout).contains(0) else { return nil }
    return String(decoding: try socket.read(limit: 4096), as: UTF8.self)
  }
}
