import FSRHandoff
import FSRHost
import FSRMemory
import FSRService
import FSRState
import FSRSystem
import Synchronization

/// A VM without a machine: each of its vCPUs is a thread that adds one to its register and to its word in memory, again and
/// again, and counts an error where the two differ, as they would had they run twice.
final class CountingVM: MemoryOnlyVM, PausableVM {
  private static let sections = [SectionVersion(name: "registers", version: 1)]
  private let context: VMContext
  private let gate: Mutex<CountingGate>
  let facts: VMFacts
  let memory: GuestMemory

  private init(_ name: String, vcpus: Int, _ memory: GuestMemory, _ context: VMContext) {
    facts = VMFacts(name: name, kind: "counting", vcpus: vcpus)
    (self.memory, self.context) = (memory, context)
    gate = Mutex(CountingGate(registers: Array(repeating: 0, count: vcpus)))
  }

  convenience init(new parts: consuming NewVM, _ context: VMContext) throws {
    let asked = parts.configuration
    self.init(asked.name, vcpus: asked.vcpus, try GuestMemory(size: asked.memory), context)
  }

  convenience init(adopting description: consuming GuestDescription, _ context: VMContext) throws {
    let (name, size) = (description.manifest.name, description.manifest.memory.first?.size ?? 0)
    var reader = ByteReader(try description.manifest.section("vcpus").payload)
    let memory = try GuestMemory(adopting: try description.take("memory"), size: size)
    self.init(name, vcpus: min(Int(try reader.read(UInt8.self)), VMConfiguration.vcpuLimit), memory, context)
  }

  static func readableSections() -> [SectionVersion] { sections }
  static func log(_ name: String) -> ServiceLog {
    ServiceLog { try? OwnedDescriptor.standardError().write(Array("\(name): \($1)\n".utf8)) }
  }

  // MARK: vCPUs

  func boot() throws { try start(lead: { true }, follow: {}) }
  func park(_ leader: any SwitchLeader) throws {
    try start(lead: { leader.leadSwitch() }, follow: { leader.followSwitch() })
  }

  private func start(lead: @escaping @Sendable () -> Bool, follow: @escaping @Sendable () -> Void) throws {
    for vcpu in 0..<facts.vcpus {
      _ = try OSThread.start(name: "vcpu\(vcpu)", detached: true) { [self] in
        if vcpu > 0 { follow() } else if !lead() { return }
        var isStanding = false
        while true {
          switch gate.withLock({ $0.turn(&isStanding) }) {
          case .leave: return
          case .stand: MonotonicClock.sleep(20_000)
          case .switchOver(let body): body()
          case .count:
            for _ in 0..<100 { gate.withLock { $0.count(vcpu, memory.region) } }
            MonotonicClock.sleep(20_000)
          }
        }
      }
    }
  }

  func resume() { gate.withLock { $0.isOpen = true } }
  func abandon() { gate.withLock { $0.isOver = true } }
  func halt() { gate.withLock { $0.isOver = true } }
  func stun(_ switchover: @escaping @Sendable () -> Void) { gate.withLock { $0.stop(switchover) } }
  func cancelStun() -> Bool { gate.withLock { $0.cancelStop() } }

  var isPaused: Bool { gate.withLock { $0.isPaused } }
  func pause(limit: UInt64) -> PauseAnswer { gate.withLock { $0.pause(true) } }
  func unpause() -> PauseAnswer { gate.withLock { $0.pause(false) } }

  func report(into facets: inout VMReport.Facets) {
    let gate = gate.withLock { $0 }
    facets.vcpus.counts = gate.registers.enumerated().map { .init(id: $0, instructions: $1) }
    facets.guest = .init(
      ticks: gate.registers.reduce(0, +), passes: 0, errors: gate.errors, maxGapMicroseconds: 0)
  }

  // MARK: leaving and coming

  var sectionVersions: [SectionVersion] { Self.sections }

  func describe() throws -> GuestDescription {
    var bag = DescriptorBag()
    bag.append(try memory.descriptor.duplicate())
    let manifest = context.manifest(
      slots: ["memory"], memory: [.init(slot: 0, size: memory.size, guestAddress: 0)],
      sections: [StateSection(name: "vcpus", version: 1, payload: [UInt8(facts.vcpus)])],
      checkpointCapacity: 4096)
    return GuestDescription(manifest: manifest, descriptors: bag)
  }

  func save(to checkpoint: inout CheckpointWriter) {
    let gate = gate.withLock { $0 }
    checkpoint.section("registers", version: 1) { writer in
      writer.write(UInt8(gate.isPaused ? 1 : 0))
      for register in gate.registers { writer.write(register) }
    }
  }

  func load(_ checkpoint: Checkpoint) throws {
    var reader = ByteReader(try checkpoint.section("registers").payload)
    let isPaused = try reader.read(UInt8.self) == 1
    let registers = try (0..<facts.vcpus).map { _ in try reader.read(UInt64.self) }
    gate.withLock { ($0.isPaused, $0.registers) = (isPaused, registers) }
  }
}
