package import FSRHandoff
internal import FSRMachine
package import FSRMemory
internal import FSRState
internal import FSRSystem

extension GuestMemory: DescribedPart {
  package func describe(into description: inout GuestDescription) throws {
    description.manifest.memory.append(
      Manifest.Memory(slot: description.manifest.slots.count, size: size, guestAddress: BoardMap.ram))
    description.add(ReferenceGuest.Slot.memory, try descriptor.duplicate())
  }
}
