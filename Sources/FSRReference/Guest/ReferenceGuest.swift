internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRMemory
internal import FSRService
internal import FSRSoftCPU
internal import FSRState
internal import FSRSystem

/// A guest put together in this process: RAM, board, vCPUs, their threads, console, time.
final class ReferenceGuest: Sendable {
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
  let image: GuestImage?
  let board: BoardPart
  let pauseState: PauseState
  let scheduling: VCPUScheduling
  /// Of this guest's coming here; it has nothing to tell where the guest was born here.
  let arrival: ArrivalSampler

  init(
    _ configuration: VMConfiguration, memory: GuestMemory, paging: GuestPaging?, console: ConsoleBuffer,
    consoleFile: Owned<OwnedDescriptor>?, image: GuestImage?, ports: GuestPorts,
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
    board = BoardPart(machine, cpus)
    pauseState = PauseState(of: threads)
    scheduling = VCPUScheduling(of: threads)
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
    let image = try GuestImage.take(from: &description)
    let described = manifest.sections.first { $0.name == TapPort.section }
    let ports = try GuestPorts(adopting: described) { try description.take($0) }
    try self.init(
      configuration, memory: memory, paging: paging, console: console, consoleFile: file, image: image,
      ports: ports, placement: placement,
      standings: try VCPUScheduling.standings(in: manifest, vcpus: configuration.vcpus), ended: ended)
  }
}

extension ReferenceGuest {
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
    try machine.restart(try image.read(limit: VMStart.imageLimit), cpus: cpus, clear: clear)
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
