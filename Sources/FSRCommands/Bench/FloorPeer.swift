internal import FSRSystem

/// The other process of a floor measurement, as its starter sees it; it ends with its last reference.
final class FloorPeer: Sendable {
  /// The descriptors that it is born with.
  static let memoryNumber: Int32 = 3
  static let leashNumber: Int32 = 4
  /// Nanoseconds that it may take to end.
  private static let timeout: UInt64 = 5_000_000_000

  private let process: ChildProcess
  private let leash: UnixSocket

  init(executable: String, memory: borrowing OwnedDescriptor, threads: Int, isRealTime: Bool)
    throws(SystemError)
  {
    let pair = try UnixSocket.pair()
    leash = pair.a
    let theirs = pair.b
    process = try ChildProcess.spawn(
      executable: executable,
      arguments: ["fsr", "floor-peer", "--threads", "\(threads)"] + (isRealTime ? ["--real-time"] : []),
      environmentBytes: Environment.bytes,
      inheriting: [
        .init(memory.number, as: FloorPeer.memoryNumber),
        .init(theirs.descriptor.number, as: FloorPeer.leashNumber),
      ])
  }

  deinit {
    try? leash.shutdown()
    if (try? process.process.waitForExit(timeout: FloorPeer.timeout)) != true {
      _ = try? process.process.signal(SignalNumber.kill)
      _ = try? process.process.waitForExit(timeout: FloorPeer.timeout)
    }
    _ = try? process.process.reap()
  }

  /// The other process itself: runs its threads until the starter hangs up or dies.
  static func run(threads: Int, isRealTime: Bool) throws(SystemError) {
    let board = try FloorBoard(mapping: OwnedDescriptor(adopting: memoryNumber))
    let placement = FloorPlacement(cpus: try Scheduling.affinity(of: 0).cpus, isRealTime: isRealTime)
    for index in 0..<threads {
      let thread = try OSThread.start(name: "floor-dest-\(index)", detached: true) {
        Floor.runDestination(index, of: threads, on: board)
      }
      try placement.place(thread, index: index, as: .destination)
    }
    let leash = UnixSocket(adopting: OwnedDescriptor(adopting: leashNumber))
    var poller = Poller()
    poller.watch(leash.descriptor, token: 0)
    while try poller.wait(timeout: nil).isEmpty {}
  }
}
