internal import FSRSystem

/// The source's end of the connection to the coordinator, which may be gone at any moment.
///
/// Only the thread that has the session's turn touches it.
final class CoordinatorLink {
  private let channel: Owned<HandoffLink>
  /// Whether it has said that it holds its copies.
  private(set) var holdsCopies = false
  /// Whether its end is closed: it is dead, or does not care any more.
  private(set) var isGone = false

  init(_ channel: consuming HandoffLink) { self.channel = Owned(channel) }

  /// Its process, as the kernel says.
  var pid: Int32? { try? channel.value.socket.peer().pid }

  /// Takes what came meanwhile, without waiting.
  func listen() {
    while !isGone {
      do {
        guard try channel.value.isReadable() else { return }
        guard let arrival = try channel.value.receive(timeout: 0, from: "coordinator") else {
          isGone = true
          return
        }
        switch arrival.message {
        // Said once: who says it without end would be listened to without end.
        case .holding where !holdsCopies: holdsCopies = true
        case .request, .accepted, .refused, .hello, .agreed, .manifest, .prepared, .holding:
          isGone = true
        }
      } catch {
        // Whoever sends rubbish has lost its say, not the guest.
        isGone = true
      }
    }
  }

  func tell(_ message: Message) {
    if isGone { return }
    do { try channel.value.send(message) } catch { isGone = true }
  }

  func tell(_ message: Message, descriptors: borrowing DescriptorBag) {
    if isGone { return }
    do { try channel.value.send(message, descriptors: descriptors) } catch { isGone = true }
  }

  /// What becomes readable when it says something; nothing where it is gone.
  var links: [Owned<HandoffLink>] { isGone ? [] : [channel] }
}
