internal import FSRHandoff
internal import FSRHost
internal import FSRState
internal import FSRSystem

/// The block in which a VM begins: its VMM takes the guest from nobody.
enum FirstBlock {
  /// Makes and publishes it; who is to have the guest has verified it, so to speak.
  ///
  /// - Throws: `VMError` `refused`, where it cannot be made.
  static func make(in folder: borrowing VMFolder, of identity: MachineIdentity) throws -> ControlBlock {
    var random = SystemRandomNumberGenerator()
    do {
      let blocks = try folder.makeBlocks(using: &random)
      let block = try blocks.create(attempt: 1, generation: 0, machine: identity, state: .destVerify)
      block.enroll(.destination, as: ProcessIdentity.current())
      block.introduce(.destination)
      try blocks.publish(block)
      return block
    } catch {
      throw VMError(.refused, "its control blocks cannot be made in \(folder.path) or /dev/shm: \(error)")
    }
  }
}
