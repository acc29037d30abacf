internal import FSRHandoff
internal import FSRMemory
internal import FSRSystem
internal import Logging

/// What this process does to its VM's record in the ledger.
///
/// A VM without a reservation may have a record all the same: one that comes from a build that knows of none, and
/// had it from one that does.
extension ReferenceVMM {
  private var bytes: UInt64 { guest.configuration.reserve }

  /// Writes the destination of the handoff in flight beside this process. The guest still runs.
  ///
  /// - Throws: where it cannot be written: the handoff is called off then.
  func nameHeir() throws {
    guard let block = handoffBlock, let heir = block.identity(of: .destination) else { return }
    if bytes == 0, (try? VMReservation(of: guest.folder.value).record()) == nil { return }
    try VMReservation(of: guest.folder.value).name(heir: heir, machine: block.machine, bytes: bytes)
  }

  /// Writes this process, which runs the guest, as the only owner. Called outside the stun.
  func settleReservation() {
    do {
      let reservation = try VMReservation(of: guest.folder.value)
      if bytes == 0, (try? reservation.record()) == nil { return }
      try reservation.settle(machine: block.machine, bytes: bytes)
    } catch { log.error("the ledger does not say who owns the reservation: \(error)") }
  }

  /// Gives the reservation back: there is no guest any more.
  func endReservation() {
    if bytes > 0 { guest.memory.giveBackReservation(bytes) }
    do {
      let reservation = try VMReservation(of: guest.folder.value)
      if bytes == 0, (try? reservation.record()) == nil { return }
      try reservation.remove(machine: block.machine)
    } catch { log.warning("the ledger keeps the reservation of a VM that has ended: \(error)") }
  }
}
