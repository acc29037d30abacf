internal import FSRSystem

/// The destination that a source has started, until it is seen gone.
struct StartedDestination {
  let process: any PeerProcess
  /// Nil once this side has hung up.
  var link: Owned<HandoffLink>?

  /// Takes what it has sent, without waiting; nil where there is nothing.
  ///
  /// - Parameter code: of a refusal that comes without one.
  /// - Throws: `HandoffError` where it has hung up or refuses, and where what comes is not its own, or no message.
  func hear(refusing code: ReasonCode?) throws(HandoffError) -> Message? {
    guard let link else { throw .peerGone(.destination) }
    guard try link.value.isReadable() else { return nil }
    guard let arrival = try receive(link) else { throw .peerGone(.destination) }
    guard process.hasSent(arrival.sender) else {
      throw .wrongProcess(expected: process.identities.first?.pid ?? 0, was: arrival.sender ?? 0)
    }
    guard arrival.descriptors.numbers.isEmpty else {
      throw .protocolViolation("descriptors come with '\(arrival.message.name)'")
    }
    if case .refused(let reason) = arrival.message {
      throw .refused(reason.causing("the destination refused", code: code))
    }
    return arrival.message
  }

  private func receive(_ link: Owned<HandoffLink>) throws(HandoffError) -> HandoffLink.Arrival? {
    do throws(HandoffError) { return try link.value.receive(timeout: 0, from: "destination") } catch {
      throw error.ofDestination
    }
  }

  func tell(_ message: Message, _ descriptors: borrowing DescriptorBag) throws(HandoffError) {
    guard let link else { throw .peerGone(.destination) }
    do throws(HandoffError) { try link.value.send(message, descriptors: descriptors) } catch {
      throw error.ofDestination
    }
  }
}
