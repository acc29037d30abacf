internal import FSRState
internal import FSRSystem

/// What was sent of a guest, as long as its handoff lasts.
struct SentGuest: ~Copyable {
  /// Kept open, since a recovery may copy them out of this process by the numbers that the block names.
  let descriptors: DescriptorBag
  private let memory: CheckpointMemory
  /// Writes into memory that the destination has too.
  var checkpoint: CheckpointWriter

  init(_ descriptors: consuming DescriptorBag, checkpointIn memory: CheckpointMemory, of block: ControlBlock)
  {
    self.descriptors = descriptors
    self.memory = memory
    checkpoint = CheckpointWriter(machine: block.machine, attempt: block.attempt, to: memory)
  }

  /// Throws where the checkpoint has become longer than its memory.
  func checkLength() throws(StateError) {
    guard checkpoint.length <= memory.capacity else {
      throw .tooLong(checkpoint.length, limit: memory.capacity)
    }
  }

  /// Of the checkpoint as it is in its memory now.
  var checksum: UInt64 { memory.checksum(of: checkpoint.length) }
}
