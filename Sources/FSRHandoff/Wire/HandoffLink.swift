public import FSRSystem

/// A socket to a party, on which whole messages travel with their descriptors.
public struct HandoffLink: ~Copyable, Sendable {
  let socket: UnixSocket

  /// How long a peer may leave its socket unread before a send to it fails, in nanoseconds.
  static let sendLimit: UInt64 = 5_000_000_000

  public init(_ socket: consuming UnixSocket) throws(HandoffError) {
    do throws(SystemError) { try socket.setSendTimeout(Self.sendLimit) } catch { throw .system(error) }
    self.socket = socket
  }

  /// Descriptors that one message carries at most.
  static let descriptorLimit = UnixSocket.descriptorLimit

  /// Takes a socket whose sends have their limit already.
  init(prepared socket: consuming UnixSocket) { self.socket = socket }

  /// What came: a message, its descriptors, and the pid that the kernel saw sending it, where asked for.
  public struct Arrival: ~Copyable, Sendable {
    public let message: Message
    public var descriptors: DescriptorBag
    public let sender: Int32?
  }

  public func send(_ message: Message) throws(HandoffError) {
    do throws(SystemError) { try socket.send(message.encoded) } catch { throw .system(error) }
  }

  /// - Parameter version: the highest of the protocol that the peer speaks.
  public func send(
    _ message: Message, descriptors: borrowing DescriptorBag,
    speaking version: UInt16 = HandoffProtocol.versions.upperBound
  ) throws(HandoffError) {
    do throws(SystemError) {
      try socket.send(message.encoded(speaking: version), descriptors: descriptors)
    } catch { throw .system(error) }
  }

  /// The next message; nil when the peer has hung up.
  ///
  /// - Parameter timeout: nanoseconds; `HandoffError.deadline` when nothing came.
  public func receive(timeout: UInt64?, from party: String) throws(HandoffError) -> Arrival? {
    let received: Received?
    do throws(SystemError) {
      received = try socket.receive(
        limit: UnixSocket.messageLimit, maximumDescriptors: UnixSocket.descriptorLimit, timeout: timeout)
    } catch {
      if error.isTimeout { throw .deadline("an answer of the \(party)") }
      throw .system(error)
    }
    guard let received else { return nil }
    let message = try Message(decoding: received.bytes)
    return Arrival(message: message, descriptors: received.descriptors, sender: received.sender?.pid)
  }
}

extension HandoffLink {
  /// Whether a message, or the peer's hanging up, is there to be received.
  func isReadable() throws(HandoffError) -> Bool {
    var poller = Poller()
    poller.watch(socket.descriptor, token: 0)
    do throws(SystemError) { return try !poller.wait(timeout: 0).isEmpty } catch { throw .system(error) }
  }
}
