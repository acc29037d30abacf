package import FSRHandoff
package import FSRHost
package import FSRState
package import FSRSystem

/// Something that a guest consists of. What a part does in a handoff it says by its roles, none of which has a default: a part
/// without a role is not asked.
package protocol GuestPart: AnyObject, Sendable {}

/// A part that the manifest speaks of, and whose descriptors go over.
package protocol DescribedPart: GuestPart {
  /// Adds slots with duplicates of their descriptors, and sections that do not change while the guest runs. Nothing is
  /// begun yet: what is thrown refuses the handoff.
  func describe(into description: inout GuestDescription) throws
}

/// A part whose state is in a checkpoint.
package protocol CarriedPart: GuestPart {
  /// The sections that this build reads, of the largest guest that there can be, with the newest version of each.
  static var readableSections: [SectionVersion] { get }
  /// The names of all sections that `load` reads in this guest, be they there now or not.
  var names: [String] { get }
  /// The sections that `save` would write now.
  var sections: [SectionVersion] { get }
  /// Appends them. Runs in the stun: it neither allocates nor waits.
  func save(to checkpoint: inout CheckpointWriter)
  /// Loads the part's sections; no vCPU has run here yet.
  ///
  /// - Parameter isRehearsal: whether the state is of a guest that never ran, and memory still the source's.
  /// - Throws: `StateError`, or what else is wrong; the guest must not run then.
  func load(_ checkpoint: Checkpoint, isRehearsal: Bool) throws
}

/// A part that works beside the guest, by a thread of its own, while this process owns it.
package protocol RunningPart: GuestPart {
  /// What it means for the guest that the part cannot be started, for the log.
  var lossWithoutIt: String { get }
  /// Lets it work; nothing happens where it does.
  ///
  /// - Throws: `SystemError` where there is no thread to be had.
  func start() throws
  /// Returns when it does nothing until `start`.
  func rest()
  /// The same for good.
  func stop()
}

/// A part that works beside the guest in the guest's memory.
package protocol DrainingPart: RunningPart {
  /// Sees that nothing is under way, and that memory is not touched until `start`. Runs in the stun, while touches of memory
  /// are still answered.
  func drain() throws
}

/// A part that answers touches of the guest's memory.
package protocol AnsweringPart: GuestPart {
  /// Sees that little is left for the stun, while the guest still runs and touches are answered.
  func quiesce() throws
  /// Comes to rest, in the stun: nobody touches memory any more.
  func freeze() throws
  /// Goes on: the guest stays. Also where it was never frozen, nor quiesced.
  func thaw()
  /// Begins: the guest has come.
  func begin()
  /// Lets everybody go on who waits for an answer, in a guest that ends: they find anything there.
  func giveUp()
}

/// A part that can be copied to another place while the guest runs.
package protocol CopyingPart: GuestPart {
  /// Whether a handoff by `plan` copies it.
  func isCopied(by plan: HandoffPlan) -> Bool
  /// The sections that a checkpoint has of that, at its end.
  var copySections: [SectionVersion] { get }
  /// Begins to copy, and goes on with it; never waits.
  func precopy() throws -> Precopy
  /// Waits, in `quiesce`, until what changed last is copied too.
  ///
  /// - Parameter deadline: a time of `MonotonicClock`.
  func settleCopy(deadline: UInt64) throws
  /// Ends the copying, in the stun: both places are the same from here on.
  func finishCopy() throws
  /// Appends `copySections`.
  func saveCopy(to checkpoint: inout CheckpointWriter)
  /// Stops it, where it was under way: the guest stays. For before it runs again.
  func cancelCopy()
}

/// A part with something that only one process may hold.
package protocol OwnedStorage: GuestPart {
  /// Unlocks it, in the stun.
  func release()
  /// Takes it again, where the guest stays; false while somebody else has it. True where it was never released.
  func reacquire() -> Bool
  /// Goes the way of `take` as far as that can be while the source has it.
  func rehearse()
  /// Takes it, where the guest comes; false while the source has it. True where it is held.
  func take() -> Bool
  /// Gives it up for good.
  func close()
}

/// A part that gets ready for a guest which still runs in the source.
package protocol ArrivingPart: GuestPart {
  /// Makes what may fail, which waits.
  func park() throws
  /// The guest has come, and has run a while. On its first vCPU's thread, which it must not keep.
  func arrived()
  /// The guest does not come.
  func leave()
}

/// A part that writes a file which nobody else is to write meanwhile.
package protocol FileWritingPart: GuestPart {
  /// Adds duplicates of the files' descriptors.
  func writtenFiles(into bag: inout DescriptorBag) throws
}

/// A part with something left to do when the guest stands for good, and no part works any more.
package protocol EndingPart: GuestPart {
  func end(in folder: borrowing VMFolder)
}
