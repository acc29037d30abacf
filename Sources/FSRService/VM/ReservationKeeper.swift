internal import FSRHandoff
internal import FSRHost
internal import FSRMemory
internal import FSRSystem
internal import Synchronization

/// What this process does to its VM's record in the ledger.
///
/// A VM without a reservation may have a record all the same: one that comes from a build that knows of none, and
/// had it from one that does.
final class ReservationKeeper: Sendable {
  private let vm: any ManagedVM
  private let context: VMContext
  private let ownership: Ownership
  /// Whether the reservation has an heir by this process: only one thread at a time changes the record.
  private let isPassedOn = Mutex(false)

  init(of vm: any ManagedVM, _ context: VMContext, _ ownership: Ownership) {
    self.vm = vm
    self.context = context
    self.ownership = ownership
  }

  private var bytes: UInt64 { vm.facts.reserve }

  /// Sees that the ledger can be changed when the time for it comes.
  ///
  /// - Throws: where it cannot: the guest is not touched for a handoff that would be called off.
  func check() throws {
    if bytes > 0 { try VMReservation(of: context.folder.value).probe() }
  }

  /// Writes the destination of the handoff in flight beside this process. The guest still runs.
  ///
  /// - Throws: where it cannot be written: the handoff is called off then.
  func nameHeir() throws {
    let reservation = try VMReservation(of: context.folder.value)
    if bytes == 0, (try? reservation.record()) == nil { return }
    guard let heir = ownership.current?.identity(of: .destination) else {
      throw VMError(.other, "the reservation has no heir: the destination is gone")
    }
    try isPassedOn.withLock { isPassedOn in
      isPassedOn = true
      try reservation.name(heir: heir, machine: context.identity, bytes: bytes, on: vm.facts.nodes)
    }
  }

  /// Writes this process, which runs the guest, as the only owner. Called outside the stun.
  ///
  /// - Parameter isKept: whether a handoff from here came to nothing; else the guest came here, and may be on its way
  ///   to the next already, with an heir written down.
  func settle(isKept: Bool) {
    isPassedOn.withLock { isPassedOn in
      if isKept { isPassedOn = false }
      if !isPassedOn { writeOwner() }
    }
  }

  private func writeOwner() {
    do {
      let reservation = try VMReservation(of: context.folder.value)
      if bytes == 0, (try? reservation.record()) == nil { return }
      try reservation.settle(machine: context.identity, bytes: bytes, on: vm.facts.nodes)
    } catch { context.log.error("the ledger does not say who owns the reservation: \(error)") }
  }

  /// Gives the reservation back: there is no guest any more.
  func end() {
    if bytes > 0 { vm.memory.unreserve(0..<bytes) }
    do {
      let reservation = try VMReservation(of: context.folder.value)
      try isPassedOn.withLock { isPassedOn in
        // Nobody writes it down again.
        isPassedOn = true
        if bytes == 0, (try? reservation.record()) == nil { return }
        try reservation.remove(machine: context.identity)
      }
    } catch { context.log.warning("the ledger keeps the reservation of a VM that has ended: \(error)") }
  }
}
