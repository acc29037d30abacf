import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Synchronization

/// A VMM without a machine, which writes down what a session asks of it, and where the word is then.
final class WatchedDestination: HandoffDestination {
  struct Manners: Sendable {
    var prepareFails = false
    var loadFails = false
    /// How often the storage is not to be had.
    var refusals = 0
  }

  struct Wrong: Error {}

  let sectionVersions = [SectionVersion(name: "all", version: 2)]
  let build = "watched"
  let block: ControlBlock
  private let manners: Manners
  private let noted = Mutex<(calls: [String], refusals: Int, loaded: Checkpoint?)>(([], 0, nil))
  private let leader = Mutex<OSThread?>(nil)
  /// What its first vCPU was told: nil until it was.
  private let entered = Mutex<Bool?>(nil)

  /// - Parameter block: a mapping of its own.
  init(_ block: ControlBlock, _ manners: Manners = Manners()) {
    self.block = block
    self.manners = manners
  }

  var calls: [String] { noted.withLock { $0.calls } }
  var loaded: Checkpoint? { noted.withLock { $0.loaded } }

  /// Whether its first vCPU came to enter the guest.
  func hasEntered() -> Bool? {
    leader.withLock { $0.take() }?.join()
    return entered.withLock { $0 }
  }

  private func note(_ call: String) {
    let state = block.state
    noted.withLock { $0.calls.append("\(call) \(state)") }
  }

  func prepare(_ description: consuming GuestDescription, session: any SwitchLeader) throws {
    note("prepare")
    if manners.prepareFails { throw Wrong() }
    session.progressed(3, of: 4)
    let thread = try OSThread.start(name: "vcpu0") { [self] in
      let isToEnter = session.leadSwitch()
      entered.withLock { $0 = isToEnter }
    }
    leader.withLock { $0 = thread }
  }

  func rehearse() { noted.withLock { $0.calls.append("rehearse") } }

  func takeStorage() -> Bool {
    note("takeStorage")
    return noted.withLock { noted in
      noted.refusals += 1
      return noted.refusals > manners.refusals
    }
  }

  func load(_ checkpoint: Checkpoint) throws {
    note("load")
    if manners.loadFails { throw Wrong() }
    noted.withLock { $0.loaded = checkpoint }
  }

  func resume() { note("resume") }
  func arrived() { note("arrived") }
  func abandon() { note(block.hasReleased(.destination) ? "abandon behind release" : "abandon") }
  func finished(_ block: ControlBlock) { note("keep") }
}
