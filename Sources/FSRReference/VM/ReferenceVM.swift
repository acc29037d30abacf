public import FSRHandoff
internal import FSRHost
internal import FSRMachine
public import FSRMemory
public import FSRService
public import FSRState
internal import FSRSystem
internal import Logging
internal import Synchronization

/// A VM of the reference VMM: a RISC-V board with interpreted vCPUs, a console, ports, and memory that may be larger than
/// what is resident.
public final class ReferenceVM: ManagedVM {
  let guest: ReferenceGuest
  let parts: GuestParts
  /// What of the guest is in a checkpoint.
  let state: GuestState
  let context: VMContext
  /// Nil where all of RAM may be resident.
  let swap: SwapKeeper?
  let missingPage: MissingPage
  /// What is loaded by `boot`; nil where the guest comes from elsewhere, and once it is loaded.
  private let image: Mutex<[UInt8]?>

  private init(_ guest: ReferenceGuest, _ context: VMContext, image: [UInt8]?) {
    self.guest = guest
    parts = GuestPartList.parts(of: guest)
    state = GuestPartList.state(of: guest, parts)
    self.context = context
    self.image = Mutex(image)
    missingPage = MissingPage(of: guest, context)
    // One that comes has files of the VMM before it to remove.
    swap = guest.paging.map { SwapKeeper(of: $0, context, isSettling: image == nil) }
    guest.paging?.onFailure { [weak missingPage] in missingPage?.note($0) }
  }

  public static func readableSections() -> [SectionVersion] { GuestPartList.readableSections }

  public static func log(_ name: String) -> ServiceLog {
    let logger = VMMLog.logger(name)
    return ServiceLog { level, line in
      switch level {
      case .notice: logger.notice("\(line)")
      case .warning: logger.warning("\(line)")
      case .error: logger.error("\(line)")
      }
    }
  }

  public var facts: VMFacts {
    let configuration = guest.configuration
    return VMFacts(
      name: configuration.name, kind: VMReport.referenceKind, vcpus: configuration.vcpus,
      reserve: configuration.reserve,
      nodes: configuration.nodes, hasHugePages: configuration.hasHugePages)
  }

  public var processors: [Int] { guest.threads.placement.processors }

  public var memory: GuestMemory { guest.memory }

  // MARK: a new one

  public convenience init(new parts: consuming NewVM, _ context: VMContext) throws {
    let configuration = parts.configuration
    let image = parts.image ?? SoakGuestImage.bytes
    // A copy: the file may be another one by the time the guest is reset.
    let kept = try Memfd.create(name: "fsr-image", size: UInt64(image.count))
    try kept.write(image)
    let ports = try GuestPorts.open(parts.ports, in: context.folder.value)
    let placement = try GuestPlacement(configuration.nodes)
    // Ahead of everything that is allocated for the guest.
    try placement.settleThread()
    let memory = try Self.memory(configuration)
    let guest = try ReferenceGuest(
      configuration, memory: memory, paging: try Self.paging(configuration, memory, context),
      console: try ConsoleBuffer(), consoleFile: parts.console, image: GuestImage(kept), ports: ports,
      placement: placement
    ) { context.ending.note($0) }
    self.init(guest, context, image: image)
  }

  private static func memory(_ configuration: VMConfiguration) throws -> GuestMemory {
    let nodes = configuration.nodes
    do {
      return try configuration.hasHugePages
        ? GuestMemory(hugePagesOf: configuration.memory, on: nodes)
        : GuestMemory(size: configuration.memory, on: nodes)
    } catch let error as MemoryError {
      throw VMError(.refused, "\(error)")
    }
  }

  /// What a guest needs that is larger than its memory; nil for one that is not.
  private static func paging(_ configuration: VMConfiguration, _ memory: GuestMemory, _ context: VMContext)
    throws -> GuestPaging?
  {
    guard let paging = configuration.paging else { return nil }
    do {
      // Written down first: whoever clears up after this VM finds what it has made.
      try context.folder.value.noteSwap(paging.swap)
      return try GuestPaging(
        starting: paging, memory: memory, reserve: configuration.reserve, vm: configuration.name,
        identity: context.identity)
    } catch {
      context.folder.value.forgetSwap()
      throw VMError(.refused, "\(configuration.name) cannot be paged: \(error)")
    }
  }

  public func boot() throws {
    guard let image = image.withLock({ $0.take() }) else { preconditionFailure("a new guest is booted once") }
    try guest.paging?.start(isToWait: false)
    do { try guest.boot(image) } catch {
      throw VMError(.refused, "the guest cannot be loaded: \(error) (--guest takes an ELF for RISC-V)")
    }
    try guest.threads.start(machine: guest.machine, cpus: guest.cpus)
  }

  // MARK: its life

  public func begin() {
    parts.start { loss, reason in context.log.error("\(loss): \(reason)") }
    swap?.noteOwn()
  }

  public func source(for plan: HandoffPlan) throws -> any GuestSource { ReferenceSource(self, by: plan) }

  public func handoffCameToNothing() { swap?.dropCopy() }

  public func cameHere() { swap?.settle() }

  /// Nanoseconds that vCPUs may take to stand, before a page that one waits for is given up.
  private static let haltLimit: UInt64 = 1_000_000_000

  public func halt() {
    // A vCPU that waits for a page that nobody can bring in ends without it.
    guest.threads.end(unblocking: { parts.giveUp() }, after: Self.haltLimit)
    parts.end(in: context.folder.value)
  }

  public func removeFiles() { swap?.removeOwn() }
}

// MARK: coming

extension ReferenceVM {
  public convenience init(adopting description: consuming GuestDescription, _ context: VMContext) throws {
    let guest = try ReferenceGuest(adopting: description) { context.ending.note($0) }
    self.init(guest, context, image: nil)
  }

  public func mapPresentPages(progress: (UInt64) -> Void) throws {
    try guest.mapPresentPages(progress: progress)
  }

  public func park(_ leader: any SwitchLeader) throws {
    let (guest, parts, state) = (guest, parts, state)
    let switching = VCPUThreads.Switch(
      rehearse: { try? state.rehearse() }, lead: { [weak leader] in leader?.leadSwitch() ?? false },
      follow: { [weak leader] in leader?.followSwitch() },
      entered: { guest.arrival.guestEntered() },
      demoted: { parts.arrived() })
    try parts.park()
    try guest.threads.start(
      machine: guest.machine, cpus: guest.cpus, switching: switching, standings: guest.standings)
  }

  public func rehearse() { try? state.rehearse() }

  public func takeStorage() -> Bool { parts.take() }

  public func load(_ checkpoint: Checkpoint) throws { try state.load(checkpoint) }

  public func resume() {
    parts.begin()
    guest.threads.resume()
  }

  public func abandon() {
    guest.threads.end()
    parts.leave()
  }
}
