import FSRMemory
public import FSRState
import Synchronization

/// A stopped machine's state, as named sections: `board`, `clint`, `uart`, `hart.0`…, `plic` of a guest that
/// uses it, and `devices` where there is more to say of them. A guest without the last two can go to a build, and come
/// from one, that does not know them; `devices` is passed on by such a one.
///
/// The names are made ahead; saving appends to the caller's writer and nothing else. No hart may be in `run`.
public struct MachineSections: Sendable {
  /// Enough for any one section's payload.
  public static let payloadLimit = 1024

  /// A section as it is declared, for whoever only asks what this build can read.
  public struct Declared: Equatable, Sendable {
    public let name: String
    /// The version that it is saved in.
    public let version: UInt16
    /// Whether a guest may go on without it at a build that does not know it.
    public let isNeeded: Bool
  }

  /// The sections of a machine with so many harts of a kind, in the order of saving. No machine is made to know them.
  public static func declared(harts: Int, of cpu: any VirtualCPU.Type) -> [Declared] {
    [
      Declared(name: "board", version: BoardState.stateVersion, isNeeded: true),
      Declared(name: "clint", version: CoreLocalInterruptor.stateVersion, isNeeded: true),
      Declared(name: "uart", version: UART16550.stateVersion, isNeeded: true),
      Declared(name: plicName, version: PlatformInterruptController.stateVersion, isNeeded: true),
    ]
      + (0..<harts).map { Declared(name: "hart.\($0)", version: cpu.stateVersion, isNeeded: true) }
      + [Declared(name: devicesName, version: DeviceDetails.stateVersion, isNeeded: false)]
  }

  /// All sections, in the order of saving.
  public let declared: [Declared]
  private let parts: [any SavesState & Sendable]
  private let machine: Machine
  private static let plicName = "plic"
  private static let devicesName = "devices"

  /// - Parameter cpus: all harts of `machine`, in order, and of one kind.
  public init(machine: Machine, cpus: [any VirtualCPU]) {
    precondition(cpus.count == machine.harts, "every hart is saved")
    guard let first = cpus.first else { preconditionFailure("a machine has a hart") }
    self.machine = machine
    declared = Self.declared(harts: machine.harts, of: type(of: first))
    parts =
      [BoardState(machine: machine), machine.clint, machine.uart, machine.plic] + cpus.map { $0 }
      + [DeviceDetails(machine: machine)]
  }

  /// All sections' names, in the order of saving.
  public var names: [String] { declared.map(\.name) }

  /// Whether section `index` has something to carry now.
  public func isPresent(_ index: Int) -> Bool {
    switch declared[index].name {
    case Self.plicName: machine.plic.isInUse
    case Self.devicesName: !DeviceDetails(machine: machine).isEmpty
    default: true
    }
  }

  /// Appends the payload of section `index`.
  public func save(_ index: Int, to writer: inout ByteWriter) { parts[index].save(to: &writer) }

  /// All sections, as values.
  public func save() -> [StateSection] {
    declared.indices.filter(isPresent).map { index in
      var writer = ByteWriter(capacity: Self.payloadLimit)
      save(index, to: &writer)
      let section = declared[index]
      return StateSection(
        name: section.name, version: section.version, isNeeded: section.isNeeded, payload: writer.bytes)
    }
  }

  /// Restores one section; answers false where its name is not the machine's.
  ///
  /// - Throws: `StateError`; that part then is as it was.
  public func restore(_ section: StateSection) throws(StateError) -> Bool {
    guard let index = declared.firstIndex(where: { $0.name == section.name }) else { return false }
    var part = parts[index]
    var reader = ByteReader(section.payload)
    try part.restore(from: &reader, version: section.version)
    return true
  }

  /// Restores the whole machine; sections of other names are left to others. Parts that had nothing to carry
  /// are put back to their start.
  ///
  /// - Throws: `StateError`, also where a section is missing or comes twice. The machine must not run then.
  public func restore(_ sections: [StateSection]) throws(StateError) {
    var seen: Set<String> = []
    let details = sections.filter { $0.name == Self.devicesName }
    for section in sections where section.name != Self.devicesName {
      guard try restore(section) else { continue }
      guard seen.insert(section.name).inserted else { throw .duplicateSection(section.name) }
    }
    if !seen.contains(Self.plicName) { machine.plic.reset() }
    // Behind the devices that it is about.
    if details.count > 1 { throw .duplicateSection(Self.devicesName) }
    if let details = details.first { _ = try restore(details) }
    let optional = [Self.plicName, Self.devicesName]
    if let missing = names.first(where: { !seen.contains($0) && !optional.contains($0) }) {
      throw .missingSection(missing)
    }
  }
}

/// What the board is: checked against the destination's, and the symbols of the guest, whose ELF stays behind.
struct BoardState: SavesState, Sendable {
  let machine: Machine

  static var stateVersion: UInt16 { 1 }

  func save(to writer: inout ByteWriter) {
    writer.write(UInt16(machine.harts))
    writer.write(machine.memory.size)
    let symbols = machine.symbols.withLock { $0 }
    // An offset of all ones is none.
    writer.write(symbols.toHost ?? .max)
    writer.write(symbols.parameters ?? .max)
    writer.write(symbols.statistics ?? .max)
  }

  func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion("board", has: version, reads: Self.stateVersion)
    }
    let harts = try reader.read(UInt16.self)
    guard Int(harts) == machine.harts else { throw .invalid("hart count", UInt64(harts)) }
    let size = try reader.read(UInt64.self)
    guard size == machine.memory.size else { throw .invalid("RAM size", size) }
    var symbols = GuestSymbols()
    symbols.toHost = try offset(&reader, "tohost", size: 8)
    symbols.parameters = try offset(&reader, "parameters", size: SoakParameters.size)
    symbols.statistics = try offset(&reader, "statistics", size: SoakStatistics.size)
    try reader.finish()
    machine.symbols.withLock { $0 = symbols }
  }

  private func offset(_ reader: inout ByteReader, _ name: String, size: UInt64) throws(StateError) -> UInt64?
  {
    let value = try reader.read(UInt64.self)
    if value == .max { return nil }
    guard value % 8 == 0, machine.memory.contains(value, count: size) else { throw .invalid(name, value) }
    return value
  }
}
