internal import FSRSystem

extension FileMirror {
  /// What a mirror keeps under its lock.
  struct State {
    struct Pending {
      let transfer: PageTransfer
      /// Why the original refused it.
      var failure: SystemError?
    }

    var route: MirrorRoute
    var helper = CopyHelper()
    var pace: CopyPace
    var deeds: [MirrorRoute.Deed] = []
    /// By the number that it has here.
    var transfers: [UInt64: Pending] = [:]
    var nextID: UInt64 = 0
    /// Those that a queue had no room for.
    var unsent: [(id: UInt64, isToCopy: Bool)] = []
    var finished: [PageCompletion] = []
    /// Blocks that the thread is to copy next.
    var toMove: Range<UInt64>?
    /// The copy's end, in blocks, and whether it is just being moved.
    var length: UInt64 = 0
    var isExtending = false
    var isLongEnough: Bool { length >= route.end }
    /// Writes and parts of the copy that have come to an end.
    var deedsOfCopy = 0
    /// Since when somebody waits for the copy while that number stays.
    var stall: (since: UInt64, deeds: Int)?
    var copied: UInt64 = 0
    var total: UInt64

    init(_ blocks: Range<UInt64>, total: UInt64, rate: UInt64?) {
      route = MirrorRoute(blocks)
      pace = CopyPace(bytesPerSecond: rate)
      self.total = total
    }
  }

  /// Does what the last change asks for, until nothing follows from it.
  func perform(_ state: inout State) {
    repeat {
      if !state.helper.isAlive, state.route.isOn { state.route.takeOff(&state.deeds) }
      let deeds = state.deeds
      state.deeds.removeAll(keepingCapacity: true)
      for body in deeds { perform(body, &state) }
      send(&state)
      if state.route.pending == 0, state.helper.state == .stunning || state.helper.state == .failed {
        state.helper.take(.drained)
      }
    } while !state.deeds.isEmpty || (state.route.isOn && !state.helper.isAlive)
  }

  private func perform(_ body: MirrorRoute.Deed, _ state: inout State) {
    switch body {
    case .start(let id, let target):
      state.unsent.append((id, false))
      if target == .both { state.unsent.append((id, true)) }
    case .finish(let id):
      guard let pending = state.transfers.removeValue(forKey: id) else {
        preconditionFailure("a write ends once")
      }
      state.finished.append(
        PageCompletion(tag: pending.transfer.tag, direction: .write, failure: pending.failure))
    case .move(let blocks):
      state.toMove = blocks
      ring()
    }
  }

  /// Hands on what was started, as far as there is room.
  private func send(_ state: inout State) {
    var kept: [(id: UInt64, isToCopy: Bool)] = []
    for next in state.unsent {
      // It may have ended meanwhile, when the copy was given up.
      guard let pending = state.transfers[next.id], state.route.isOn || !next.isToCopy else { continue }
      let transfer = pending.transfer.tagged(next.id)
      do throws(SystemError) {
        let isTaken = try (next.isToCopy ? ends.copy : ends.original).submit(transfer)
        if !isTaken { kept.append(next) }
      } catch {
        // The queue is closed: the file is given back.
        if next.isToCopy {
          state.helper.take(.failed(.copy(error)))
        } else {
          state.transfers[next.id]?.failure = error
          state.helper.take(.failed(.original(error)))
          state.route.originalEnded(next.id, &state.deeds)
        }
      }
    }
    state.unsent = kept
  }
}
