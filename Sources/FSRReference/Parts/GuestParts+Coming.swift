/// Taking a guest that still runs elsewhere: `park`, then in the stun `take`, what `GuestState` loads, `begin`; a while after
/// that `arrived`. Or `leave`.
extension GuestParts {
  /// Makes what may fail. Where a part does those before it leave, the last first.
  package func park() throws {
    for index in arriving.indices {
      do { try arriving[index].park() } catch {
        for part in arriving[..<index].reversed() { part.leave() }
        throw error
      }
    }
  }

  /// Goes through taking what the source still holds.
  package func rehearse() { for part in storage { part.rehearse() } }

  /// Takes what only one process may hold; false where some of it is not to be had yet. It is asked again then, or the guest
  /// does not come.
  package func take() -> Bool {
    for part in storage where !part.take() { return false }
    return true
  }

  /// Answers touches of memory from here on: the vCPUs are about to run.
  package func begin() { for part in answering { part.begin() } }

  /// The guest has run a while: what is left to do for its coming. The last first: what devices take meanwhile has waited
  /// for longer than that.
  package func arrived() { for part in arriving.reversed() { part.arrived() } }

  /// The guest does not come.
  package func leave() { for part in arriving.reversed() { part.leave() } }
}
