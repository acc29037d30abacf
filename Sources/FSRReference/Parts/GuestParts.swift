package import FSRHandoff
package import FSRHost
package import FSRSystem

/// A guest as the list of its parts: for each role those that have it, all in the one order of the list, made ahead of any
/// handoff. What undoes something goes backwards.
package struct GuestParts: Sendable {
  let described: [any DescribedPart]
  package let carried: [any CarriedPart]
  let running: [any RunningPart]
  let draining: [any DrainingPart]
  let answering: [any AnsweringPart]
  let copying: [any CopyingPart]
  let storage: [any OwnedStorage]
  let arriving: [any ArrivingPart]
  let writing: [any FileWritingPart]
  let ending: [any EndingPart]

  package init(_ parts: [any GuestPart]) {
    described = parts.compactMap { $0 as? any DescribedPart }
    carried = parts.compactMap { $0 as? any CarriedPart }
    running = parts.compactMap { $0 as? any RunningPart }
    draining = parts.compactMap { $0 as? any DrainingPart }
    answering = parts.compactMap { $0 as? any AnsweringPart }
    copying = parts.compactMap { $0 as? any CopyingPart }
    storage = parts.compactMap { $0 as? any OwnedStorage }
    arriving = parts.compactMap { $0 as? any ArrivingPart }
    writing = parts.compactMap { $0 as? any FileWritingPart }
    ending = parts.compactMap { $0 as? any EndingPart }
  }

  // MARK: what it consists of

  /// Adds what the parts are to a manifest and its descriptors. Nothing is begun.
  package func describe(into description: inout GuestDescription) throws {
    for part in described { try part.describe(into: &description) }
  }

  /// Duplicates of the files that only the guest's owner is to write.
  package func writtenFiles() throws -> DescriptorBag {
    var bag = DescriptorBag()
    for part in writing { try part.writtenFiles(into: &bag) }
    return bag
  }

  // MARK: its life

  /// Starts what works beside the guest. What fails is left out, and `note` told what that means and why.
  package func start(orNote note: (_ loss: String, _ reason: any Error) -> Void) {
    for part in running {
      do { try part.start() } catch { note(part.lossWithoutIt, error) }
    }
  }

  /// Lets everybody go on who waits for a page, in a guest that ends.
  package func giveUp() { for part in answering { part.giveUp() } }

  /// Ends what works beside a guest that stands for good, and gives up what only one process may hold.
  package func end(in folder: borrowing VMFolder) {
    for part in storage { part.close() }
    for part in running { part.stop() }
    for part in ending { part.end(in: folder) }
  }
}
