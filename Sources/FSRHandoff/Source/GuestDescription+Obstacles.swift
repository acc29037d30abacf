internal import FSRState
internal import FSRSystem

/// What can be seen of a description before anything is begun: all that will be sent is in it.
extension GuestDescription {
  /// Slots that one message carries, behind manifest and checkpoint.
  static let slotLimit = min(
    Manifest.slotLimit, HandoffLink.descriptorLimit - HeldDescriptors.descriptorsAhead)
  /// Refuses what another process could do nothing with.
  ///
  /// - Throws: `HandoffError.refused` with `descriptor`, which names the slot.
  func checkDescriptors() throws(HandoffError) {
    let count = manifest.slots.count
    guard count <= Self.slotLimit else {
      throw Self.refusal(
        "\(count) descriptors are more than the \(Self.slotLimit) that are handed over", "register fewer")
    }
    guard descriptors.count == count else {
      throw Self.refusal("\(descriptors.count) descriptors for \(count) names", "register each by a name")
    }
    for (index, slot) in manifest.slots.enumerated() {
      let flaw: DescriptorFlaw?
      do throws(SystemError) { flaw = try descriptors.flaw(at: index) } catch { throw .system(error) }
      if flaw == .reference, references.contains(slot) { continue }
      if let flaw {
        throw Self.refusal(
          "'\(slot.prefix(Manifest.nameLimit))' cannot be handed over: \(flaw.reason)", flaw.remedy)
      }
    }
  }

  /// Refuses a file that somebody else has open for writing.
  ///
  /// - Parameter others: processes that may.
  /// - Throws: `HandoffError.refused` with `writers`, which names file and process.
  func checkWriters(besides others: Set<Int32>, in world: any HandoffWorld) throws(HandoffError) {
    let files = manifest.slots.indices.filter { written.contains(manifest.slots[$0]) }
    if let refusal = try world.writers(of: descriptors, at: files, besides: others) { throw refusal }
  }

  private static func refusal(_ what: String, _ remedy: String) -> HandoffError {
    .refused(Reason(what, remedy: remedy, code: .descriptor))
  }
}

extension DescriptorFlaw {
  fileprivate var reason: String {
    switch self {
    case .closed: "it is closed"
    case .reference: "it names a file and opens nothing (O_PATH)"
    case .ring: "an io_uring works for the process that made it alone"
    case .userFault: "a userfaultfd watches the memory of the process that made it"
    case .virtualMachine: "KVM binds it to the memory of the process that made it"
    }
  }

  fileprivate var remedy: String {
    switch self {
    case .closed: "keep it open as long as the guest is here"
    case .reference: "open the file, or register the descriptor as a reference"
    case .ring, .userFault, .virtualMachine: "have the new VMM make its own"
    }
  }
}
