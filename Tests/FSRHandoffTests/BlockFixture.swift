import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport

/// A folder of blocks on tmpfs, and blocks in it.
struct BlockFixture: ~Copyable {
  static let machine = MachineIdentity(high: 0x1111, low: 0x2222)

  let temporary: TemporaryDirectory
  let blocks: BlockDirectory

  init() throws {
    let temporary = try TemporaryDirectory()
    blocks = try BlockDirectory(try temporary.directory.duplicate())
    self.temporary = temporary
  }

  func makeBlock(_ attempt: UInt32, _ state: ResumeState = .none, generation: UInt64 = 1) throws
    -> ControlBlock
  {
    let block = try blocks.create(
      attempt: attempt, generation: generation, machine: Self.machine, state: state)
    try blocks.publish(block)
    return block
  }

  /// A mapping of its own of the block that `attempt` names.
  func secondMapping(of attempt: UInt32) throws -> ControlBlock {
    guard let block = try blocks.open(attempt) else { throw Absent() }
    return block
  }
}
