internal import ArgumentParser
internal import FSRSystem

/// The second process of the bench's floor; `fsr bench` starts it with two descriptors.
struct FloorPeerCommand: ParsableCommand, Interruptible {
  static let configuration = CommandConfiguration(
    commandName: "floor-peer", abstract: "The second process of the bench's floor.", shouldDisplay: false)

  @Option(help: "Threads.") var threads: Int
  @Flag(help: "Run them before all others.") var realTime = false

  func validate() throws {
    guard threads >= 1, threads <= FloorBoard.threadLimit else {
      throw ValidationError("'--threads' is 1 to \(FloorBoard.threadLimit)")
    }
  }

  func run() throws {
    do {
      try FloorPeer.run(threads: threads, isRealTime: realTime)
    } catch {
      throw Failure(.failed, "this is started by `fsr bench` alone: \(error)")
    }
  }
}
