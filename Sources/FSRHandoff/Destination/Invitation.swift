public import FSRSystem

/// What a destination is started with: its starter's hello, the handoff's block and the folder of the VM's blocks.
public struct Invitation: Sendable {
  let link: Owned<HandoffLink>
  let hello: Hello
  let block: ControlBlock
  let blocks: Owned<BlockDirectory>

  /// Takes it from the inherited socket, and waits for it there.
  ///
  /// - Throws: `HandoffError` where what comes is no hello of a handoff that this build can take part in. The starter is
  ///   told, as far as it can be.
  public init(
    socket: consuming UnixSocket, limits: HandoffLimits = HandoffLimits(),
    in world: any HandoffWorld = LinuxWorld.shared
  ) throws(HandoffError) {
    let link = Owned(try HandoffLink(socket))
    let said: (hello: Hello, block: ControlBlock, folder: Owned<BlockDirectory>)
    do throws(HandoffError) {
      said = try Self.read(try Self.firstMessage(on: link, until: world.now() &+ limits.answer, in: world))
    } catch {
      Self.refuse(error, on: link)
      throw error
    }
    self.link = link
    (hello, block, blocks) = (said.hello, said.block, said.folder)
  }

  private static func read(_ arrival: consuming HandoffLink.Arrival) throws(HandoffError)
    -> (Hello, ControlBlock, Owned<BlockDirectory>)
  {
    guard case .hello(let hello) = arrival.message, let file = arrival.descriptors.take(0),
      let folder = arrival.descriptors.take(1)
    else { throw HandoffError.protocolViolation("\(arrival.message.name) where hello is due") }
    return (hello, try ControlBlock(adopting: file), Owned(try BlockDirectory(adopting: folder)))
  }

  /// Waits for it.
  private static func firstMessage(
    on link: Owned<HandoffLink>, until deadline: UInt64, in world: any HandoffWorld
  ) throws(HandoffError) -> HandoffLink.Arrival {
    while try !link.value.isReadable() {
      if world.now() >= deadline { throw .deadline("an answer of the source") }
      var wait = Wait(until: deadline)
      wait.links = [link]
      world.wait(wait)
    }
    guard let arrival = try link.value.receive(timeout: 0, from: "source") else { throw .peerGone(.source) }
    return arrival
  }

  /// Tells the starter why there is to be no destination.
  public func refuse(_ error: any Error) { Self.refuse(error, on: link) }

  static func refuse(_ error: any Error, on link: Owned<HandoffLink>) {
    try? link.value.send(.refused(Reason(of: error)))
  }
}
