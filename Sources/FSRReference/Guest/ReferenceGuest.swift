internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRMemory
internal import FSRService
internal import FSRSoftCPU
internal import FSRState
internal import FSRSystem
internal import Synchronization

/// A guest put together in this process: RAM, board, vCPUs, their threads, console, time.
final class ReferenceGuest: Sendable {
  /// Bytes set aside for a checkpoint, for the vCPUs' share and for all else.
  private static let checkpointPerVCPU: UInt64 = 4096
  private static let checkpointBase: UInt64 = 65536

  enum Slot {
    static let memory = "memory"
    static let console = "console"
    static let consoleFile = "console-file"
    /// The guest's ELF, for a reset. Builds without restarts have none.
    static let image = "image"
  }

  let configuration: VMConfiguration
  let memory: GuestMemory
  /// Nil where all of RAM may be resident.
  let paging: GuestPaging?
  let machine: Machine
  let cpus: [SoftCPU]
  let threads: VCPUThreads
  let clock: HostClock
  let load: LoadHistory
  let ports: GuestPorts
  /// How the source's vCPU threads are scheduled, where somebody has seen to that.
  let standings: VCPUStandings
  let console: ConsoleBuffer
  let input: ConsoleInput
  let drain: ConsoleDrain
  let pump: ConsolePump
  /// What a reset starts again; nil where the guest comes from a build that did not keep it.
  private let image: Owned<OwnedDescriptor>?
  let sections: MachineSections
  /// The names of all sections that are loaded here; made ahead, as they are needed in the stun.
  private let known: Set<String>
  /// Of this guest's coming here; it has nothing to tell where the guest was born here.
  let arrival: ArrivalSampler
  /// Optional sections of a build that knows more than this one: they go on to the next.
  private let passedOn = Mutex<[StateSection]>([])

  init(
    _ configuration: VMConfiguration, memory: GuestMemory, paging: GuestPaging?, console: ConsoleBuffer,
    consoleFile: Owned<OwnedDescriptor>?, image: Owned<OwnedDescriptor>?, ports: GuestPorts,
    placement: GuestPlacement, standings: VCPUStandings = VCPUStandings(),
    ended: @escaping @Sendable (GuestEnd) -> Void
  ) throws {
    self.configuration = configuration
    self.standings = standings
    self.memory = memory
    self.paging = paging
    self.console = console
    input = ConsoleInput(in: console.region)
    clock = HostClock()
    load = try LoadHistory(vcpus: configuration.vcpus)
    self.ports = ports
    threads = try VCPUThreads(meters: load.meters, clock: clock, placement: placement, ended: ended)
    machine = try Machine(
      memory: memory, harts: configuration.vcpus, clock: clock, console: console, input: input,
      waker: threads)
    try Self.checkRoom(vcpus: configuration.vcpus)
    cpus = SoftCPU.harts(of: machine)
    sections = MachineSections(machine: machine, cpus: cpus)
    known = Set(
      sections.names + ["clock", Self.paused.name, Self.pages.name, Self.mirrored.name, Self.load.name]
        + ports.sections.map(\.name))
    arrival = try ArrivalSampler(cpus)
    drain = ConsoleDrain(buffer: console, file: consoleFile)
    pump = ConsolePump(input: input, uart: machine.uart)
    self.image = image
  }

  /// Bytes that there have to be besides for what is small.
  private static let spareRoom: UInt64 = 8 << 20

  /// Sees that there is address space for the vCPUs: a process that has none for what it makes of Swift's ends.
  private static func checkRoom(vcpus: Int) throws(HandoffError) {
    do throws(SystemError) {
      _ = try MappedRegion(anonymous: SoftCPU.room * UInt64(vcpus) + spareRoom)
    } catch {
      // Told as it is now: what is taken is given back by the time that somebody asks.
      throw .refused(error.reason)
    }
  }

  /// In a checkpoint of a guest that is paused, and in no other; empty.
  private static let paused = SectionVersion(name: "paused", version: 1)

  /// In a checkpoint of a guest whose memory is paged: how many pages are where.
  private static let pages = SectionVersion(name: "pages", version: 1)

  /// In a checkpoint of a handoff to a swap file of the destination's own; empty. Who does not know it would leave the old
  /// one behind.
  static let mirrored = SectionVersion(name: "swap-mirrored", version: 1)

  /// The sections that a checkpoint would have now, with the version in which this build writes them.
  var writtenSections: [SectionVersion] {
    Self.versions(of: sections, sections.names.indices.filter(sections.isPresent))
      + (threads.isPaused ? [Self.paused] : []) + (paging == nil ? [] : [Self.pages]) + [Self.load]
      + ports.sections.map { SectionVersion(name: $0.name, version: $0.version) }
  }

  /// A build that does not know it passes it on.
  private static let load = SectionVersion(
    name: LoadHistory.section, version: LoadHistory.stateVersion, isNeeded: false)

  private static func versions(of sections: MachineSections, _ indices: [Int]) -> [SectionVersion] {
    [SectionVersion(name: "clock", version: HostClock.stateVersion)]
      + indices.map {
        SectionVersion(
          name: sections.names[$0], version: sections.version($0), isNeeded: sections.isNeeded($0))
      }
  }

  /// What this build reads, for as many vCPUs as a board has.
  static func readableSections() throws -> [SectionVersion] {
    let meters = try VCPUMeters(vcpus: BoardMap.hartLimit)
    let threads = try VCPUThreads(meters: meters, clock: HostClock(), placement: GuestPlacement(nil)) { _ in }
    let console = try ConsoleBuffer()
    let board = try Machine(
      memory: try GuestMemory(size: BoardMap.smallestRAM), harts: BoardMap.hartLimit, clock: HostClock(),
      console: console, input: ConsoleInput(in: console.region), waker: threads)
    let sections = MachineSections(machine: board, cpus: SoftCPU.idleHarts(of: board))
    return versions(of: sections, Array(sections.names.indices)) + [paused, pages, mirrored, load]
      + GuestPorts.allSections.map { SectionVersion(name: $0, version: PortCounters.stateVersion) }
  }

  // MARK: giving it away

  /// What the guest consists of, with duplicates of its descriptors.
  func describe(in context: VMContext) throws -> GuestDescription {
    var configuration = configuration
    if let paging { configuration.paging?.swap = paging.nextPath }
    var slots = [Slot.memory, Slot.console]
    var bag = DescriptorBag()
    bag.append(try memory.descriptor.duplicate())
    bag.append(try console.descriptor.duplicate())
    if let image {
      slots.append(Slot.image)
      bag.append(try image.value.duplicate())
    }
    if let file = drain.file {
      slots.append(Slot.consoleFile)
      bag.append(try file.value.duplicate())
    }
    var fixed = [StateSection(name: "configuration", version: 1, payload: configuration.encoded)]
    if let section = try ports.describe(&slots, &bag) { fixed.append(section) }
    if let paging { fixed.append(try paging.describe(&slots, &bag)) }
    if let section = describeStandings() { fixed.append(section) }
    let manifest = context.manifest(
      slots: slots, memory: [Manifest.Memory(slot: 0, size: memory.size, guestAddress: BoardMap.ram)],
      sections: fixed,
      checkpointCapacity: Self.checkpointBase + UInt64(configuration.vcpus) * Self.checkpointPerVCPU)
    return GuestDescription(
      manifest: manifest, descriptors: bag, references: [GuestPaging.Slot.swap],
      written: [Slot.consoleFile, GuestPaging.Slot.claim])
  }

  /// Duplicates of the files that only the guest's owner is to write.
  func writtenFiles() throws -> DescriptorBag {
    var bag = DescriptorBag()
    if let file = drain.file { bag.append(try file.value.duplicate()) }
    if let paging { bag.append(try paging.makeClaim()) }
    return bag
  }

  func save(to checkpoint: inout CheckpointWriter) {
    checkpoint.section("clock", version: HostClock.stateVersion) { clock.save(to: &$0) }
    for index in sections.names.indices where sections.isPresent(index) {
      checkpoint.section(
        sections.names[index], version: sections.version(index), isNeeded: sections.isNeeded(index)
      ) {
        sections.save(index, to: &$0)
      }
    }
    checkpoint.section(Self.load.name, version: Self.load.version, isNeeded: false) { load.save(to: &$0) }
    ports.save(to: &checkpoint)
    if threads.isPaused { checkpoint.section(Self.paused.name, version: Self.paused.version) { _ in } }
    if let paging {
      checkpoint.section(Self.pages.name, version: Self.pages.version) { paging.table.counts.save(to: &$0) }
    }
    for section in passedOn.withLock({ $0 }) { checkpoint.passOn(section) }
  }

  // MARK: taking it

  /// Puts a guest together from what its source describes.
  convenience init(
    adopting description: consuming GuestDescription, ended: @escaping @Sendable (GuestEnd) -> Void
  ) throws {
    let manifest = description.manifest
    var description = description
    let configuration = try VMConfiguration(decoding: try manifest.section("configuration").payload)
    guard let region = manifest.memory.first, manifest.memory.count == 1, region.guestAddress == BoardMap.ram,
      region.size == configuration.memory, manifest.slots[region.slot] == Slot.memory
    else { throw StateError.invalid("memory layout", UInt64(manifest.memory.count)) }
    let placement = try GuestPlacement(configuration.nodes)
    // Ahead of everything that is allocated for the guest.
    try placement.settleThread()
    let memory = try GuestMemory(adopting: try description.take(Slot.memory), size: region.size)
    if let nodes = placement.nodes { try memory.place(on: nodes) }
    var paging: GuestPaging?
    if let wish = configuration.paging {
      // Ahead of everything that may touch memory.
      paging = try GuestPaging(
        adopting: wish, memory: memory, reserve: configuration.reserve,
        swap: try manifest.section(GuestPaging.swapSection)
      ) { try description.take($0) }
    }
    let console = try ConsoleBuffer(adopting: try description.take(Slot.console))
    let hasFile = manifest.slots.contains(Slot.consoleFile)
    let file = hasFile ? Owned(try description.take(Slot.consoleFile)) : nil
    let image = manifest.slots.contains(Slot.image) ? Owned(try description.take(Slot.image)) : nil
    let described = manifest.sections.first { $0.name == TapPort.section }
    let ports = try GuestPorts(adopting: described) { try description.take($0) }
    if let image, try !image.value.isPlainFile() {
      throw HandoffError.protocolViolation("a guest's image that is no file")
    }
    try self.init(
      configuration, memory: memory, paging: paging, console: console, consoleFile: file, image: image,
      ports: ports, placement: placement,
      standings: try Self.standings(in: manifest, vcpus: configuration.vcpus), ended: ended)
  }

  private func describeStandings() -> StateSection? {
    let standings = threads.standings
    if standings.byVCPU.isEmpty { return nil }
    return StateSection(
      name: VCPUStandings.section, version: VCPUStandings.sectionVersion, isNeeded: false,
      payload: standings.encoded)
  }

  /// A later version than this build reads is left out: the guest runs without.
  private static func standings(in manifest: Manifest, vcpus: Int) throws(StateError) -> VCPUStandings {
    guard let section = manifest.sections.first(where: { $0.name == VCPUStandings.section }),
      section.version <= VCPUStandings.sectionVersion
    else { return VCPUStandings() }
    return try VCPUStandings(decoding: section.payload, vcpus: vcpus)
  }

  /// Saves and loads the state of a guest that never ran, so that in the stun every page of code and heap that
  /// a checkpoint needs has been touched before.
  func rehearse() throws {
    for _ in 0..<2 {
      var writer = CheckpointWriter(
        machine: MachineIdentity(high: 0, low: 0), attempt: 0, capacity: Int(Self.checkpointBase))
      save(to: &writer)
      let bytes = writer.bytes
      guard Checksum.of(bytes) != 0 else { throw StateError.checksum }
      try load(try Checkpoint(decoding: bytes), isRehearsal: true)
    }
    paging?.lookAgain()
  }

  /// Loads the state of a checkpoint: all of it, or it throws and the guest must not run.
  ///
  /// - Parameter isRehearsal: whether the page table is still the source's.
  func load(_ checkpoint: Checkpoint, isRehearsal: Bool = false) throws {
    let time = try checkpoint.section("clock")
    var reader = ByteReader(time.payload)
    try clock.restore(from: &reader, version: time.version)
    try sections.restore(checkpoint.sections)
    let pause = checkpoint.sections.first { $0.name == Self.paused.name }
    if let pause, pause.version != Self.paused.version {
      throw StateError.sectionVersion(pause.name, has: pause.version, reads: Self.paused.version)
    }
    threads.restorePaused(pause != nil)
    if let paging, !isRehearsal { try checkPages(checkpoint, paging) }
    // A later version than this build reads is left out: nothing depends on it.
    let history = checkpoint.sections.first { $0.name == Self.load.name }
    if let history, history.version <= Self.load.version {
      var reader = ByteReader(history.payload)
      try load.restore(from: &reader, version: history.version)
    }
    try ports.load(checkpoint)
    let unknown = checkpoint.sections.filter { !known.contains($0.name) }
    if let needed = unknown.first(where: \.isNeeded) { throw StateError.unknownSection(needed.name) }
    passedOn.withLock { $0 = unknown }
  }
}

extension ReferenceGuest {
  private func checkPages(_ checkpoint: Checkpoint, _ paging: GuestPaging) throws {
    let told = try checkpoint.section(Self.pages.name)
    guard told.version == Self.pages.version else {
      throw StateError.sectionVersion(told.name, has: told.version, reads: Self.pages.version)
    }
    var reader = ByteReader(told.payload)
    try paging.verify(try PageCounts(from: &reader))
  }

  /// Puts the guest's image into new memory.
  ///
  /// - Throws: `ELFError`.
  func boot(_ image: [UInt8]) throws {
    try machine.load(try ELFImage(image), cpus: cpus)
    writeParameters()
  }

  /// Whether a reset can be served.
  var canRestart: Bool { image != nil && !configuration.endsOnReset }

  /// Starts the guest anew; no vCPU may run.
  func restart() throws {
    guard let image else { throw VMError(.other, "the guest's image is not there any more") }
    try machine.restart(
      try ELFImage(image.value.readAll(limit: VMStart.imageLimit)), cpus: cpus, clear: clear)
    writeParameters()
  }

  /// Makes a range of RAM zeros. Where a page is promised to be there it stays: one that is locked, and a huge one,
  /// which somebody else would take from the pool.
  private func clear(_ range: Range<UInt64>) {
    let kept = configuration.hasHugePages ? memory.size : configuration.reserve
    let split = min(max(kept, range.lowerBound), range.upperBound)
    memory.zero(range.lowerBound..<split)
    if let paging {
      paging.clear(split..<range.upperBound, of: memory)
    } else {
      memory.giveUp(split..<range.upperBound)
    }
  }

  /// Maps the pages ahead that are there; those that are paged have been mapped with the page table.
  func mapPresentPages(progress: (UInt64) -> Void) throws {
    try memory.mapPresentPages(in: 0..<(paging?.table.range.lowerBound ?? memory.size), progress: progress)
  }

  private func writeParameters() {
    var parameters = SoakParameters()
    parameters.dutyPercent = UInt64(configuration.duty)
    parameters.workingSet = configuration.workingSet
    parameters.stride = configuration.stride
    _ = parameters.write(to: machine)
  }
}
