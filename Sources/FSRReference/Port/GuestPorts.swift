package import FSRHandoff
internal import FSRHost
package import FSRState
package import FSRSystem

/// The ports of a guest in this process: taps, what they are set to, what has gone through them.
package final class GuestPorts: Sendable {
  /// One port, its queues, and its thread.
  struct Member: Sendable {
    let port: TapPort
    let queues: [Owned<TapQueue>]
    let counters: PortCounters
    let pump: PortPump
    /// Of its section in a checkpoint.
    let section: String

    fileprivate init(_ port: TapPort, index: Int, queues: [Owned<TapQueue>]) throws(SystemError) {
      self.port = port
      self.queues = queues
      counters = PortCounters()
      pump = try PortPump(port, index: index, queues: queues, counters: counters)
      section = GuestPorts.sectionName(index)
    }
  }

  private static let sectionPrefix = "port"

  private static func sectionName(_ index: Int) -> String { "\(sectionPrefix).\(index)" }

  /// Slots of a manifest: `tap.` and the port's number, then the queue's.
  static func slot(_ port: Int, _ queue: Int) -> String { "tap.\(port).\(queue)" }

  /// The sections of as many ports as a VM may have.
  static let allSections = (0..<TapPort.limit).map(sectionName)

  let members: [Member]

  private init(_ members: [Member]) { self.members = members }

  /// Those of a new VM. How their taps are set is noted in its folder before it is changed.
  ///
  /// - Throws: `VMError` `refused` where a tap is not to be had; the others are as they were then.
  static func open(_ ports: [TapPort], in folder: borrowing VMFolder) throws -> GuestPorts {
    var openings = ports.map { PortOpening($0) }
    for index in openings.indices { try openings[index].attach() }
    let note = TapNote(openings.compactMap(\.found)).correctedByLostVMs(beside: folder)
    try note.write(in: folder)
    do {
      var members: [Member] = []
      for index in openings.indices {
        try openings[index].set()
        members.append(try Member(openings[index].port, index: index, queues: openings[index].queues))
      }
      return GuestPorts(members)
    } catch {
      for opening in openings { note.restore(opening.port.tap, by: opening.queues) }
      throw error
    }
  }

  // MARK: travelling

  /// What a manifest says of them, with duplicates of the descriptors; nothing where there is none.
  package func describe(into description: inout GuestDescription) throws {
    if members.isEmpty { return }
    for (index, member) in members.enumerated() {
      for (number, queue) in member.queues.enumerated() {
        description.add(Self.slot(index, number), try queue.value.descriptor.duplicate())
      }
    }
    description.manifest.sections.append(
      StateSection(
        name: TapPort.section, version: TapPort.sectionVersion, payload: TapPort.encode(members.map(\.port))))
  }

  /// Those of a guest that comes here.
  ///
  /// - Parameter take: gives the descriptor of a slot.
  package convenience init(
    adopting section: StateSection?, take: (String) throws -> OwnedDescriptor
  ) throws {
    guard let section else {
      self.init([])
      return
    }
    guard section.version == TapPort.sectionVersion else {
      throw StateError.sectionVersion(section.name, has: section.version, reads: TapPort.sectionVersion)
    }
    var members: [Member] = []
    for (index, port) in try TapPort.decode(section.payload).enumerated() {
      var queues: [Owned<TapQueue>] = []
      for number in 0..<port.queues {
        queues.append(Owned(TapQueue(adopting: try take(Self.slot(index, number)))))
      }
      try Self.check(port, queues)
      members.append(try Member(port, index: index, queues: queues))
    }
    self.init(members)
  }

  /// That the descriptors are what the port says: queues of one tap, with the header that frames have here.
  private static func check(_ port: TapPort, _ queues: [Owned<TapQueue>]) throws {
    var first: TapQueue.Identity?
    do throws(SystemError) {
      for queue in queues {
        let identity = try queue.value.identity()
        guard identity.hasHeader, identity.isMultiQueue == (port.queues > 1), first ?? identity == identity,
          try queue.value.headerSize() == TapQueue.headerSize
        else { throw SystemError("TUNGETIFF", on: "\(port.tap), which is set in another way", errno: 22) }
        first = identity
      }
    } catch {
      // A tap that somebody has removed is no reason to keep the guest in an old VMM.
      if !error.isDetached { throw error }
    }
  }

  /// Appends the counters. Runs in the stun.
  package func save(to checkpoint: inout CheckpointWriter) {
    for index in members.indices {
      checkpoint.section(Self.sectionPrefix, index: index, version: PortCounters.stateVersion) {
        members[index].counters.save(to: &$0)
      }
    }
  }

  package func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws {
    for member in members {
      let section = try checkpoint.section(member.section)
      var reader = ByteReader(section.payload)
      try member.counters.restore(from: &reader, version: section.version)
    }
  }

  // MARK: running

  /// Makes the threads of a guest that is to come.
  package func park() throws(SystemError) { for member in members { try member.pump.park() } }

  /// Lets parked threads work, once: the guest has come. Not if they were stopped since.
  func launch() { for member in members { member.pump.launch() } }

  package func start() throws(SystemError) { for member in members { try member.pump.start() } }

  /// Returns when no frame is in this process's hands, and none is taken until `start`.
  package func rest() { for member in members { member.pump.rest() } }

  /// The same for good.
  package func stop() { for member in members { member.pump.stop() } }
}
