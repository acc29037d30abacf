internal import FSRSystem

/// The fastest that a switch between two processes can be on this machine at this moment: no VMM, no guest.
///
/// This process has threads in a busy loop that look at a stop flag, as vCPUs do; the last one that leaves
/// stamps the clock, writes one cache line to shared memory and wakes the threads of another process, parked on
/// a futex, whose first one stamps the clock again. Every handoff is measured against it, in the same run.
package struct Floor: ~Copyable {
  /// Nanoseconds for any one step of a round.
  private static let timeout: UInt64 = 5_000_000_000
  /// In `stop` and `go`: the threads end.
  private static let end: UInt32 = .max

  let threads: Int
  private let board: FloorBoard
  private let placement: FloorPlacement
  private let peer: FloorPeer
  private let sources: [OSThread]
  private var round: UInt32 = 0

  /// Whether the threads run before all others, and not when the scheduler thinks fit.
  package var isRealTime: Bool { placement.isRealTime }

  /// Starts both sides. `executable` is an `fsr` for the other process.
  ///
  /// Traps outside 1 ... `FloorBoard.threadLimit` threads.
  package init(threads: Int, executable: String = "/proc/self/exe") throws(FloorError) {
    precondition(threads >= 1 && threads <= FloorBoard.threadLimit, "a number of threads within the board's")
    do {
      let memory = try Memfd.create(name: "fsr-floor", size: FloorBoard.size)
      let board = try FloorBoard(mapping: memory)
      let placement = try FloorPlacement.find(threads: threads)
      let peer = try FloorPeer(
        executable: executable, memory: memory, threads: threads, isRealTime: placement.isRealTime)
      let sources = try Floor.startSources(threads, on: board, placement)
      self.init(threads, board, placement, peer, sources)
    } catch {
      throw .system(error)
    }
  }

  private init(
    _ threads: Int, _ board: FloorBoard, _ placement: FloorPlacement, _ peer: FloorPeer, _ sources: [OSThread]
  ) {
    self.threads = threads
    self.board = board
    self.placement = placement
    self.peer = peer
    self.sources = sources
  }

  deinit { Floor.endSources(sources, on: board) }

  private static func startSources(_ threads: Int, on board: FloorBoard, _ placement: FloorPlacement)
    throws(SystemError) -> [OSThread]
  {
    var started: [OSThread] = []
    do {
      for index in 0..<threads {
        let thread = try OSThread.start(name: "floor-source-\(index)") {
          runSource(index, of: threads, on: board)
        }
        started.append(thread)
        try placement.place(thread, index: index, as: .source)
      }
      return started
    } catch {
      endSources(started, on: board)
      throw error
    }
  }

  private static func endSources(_ sources: [OSThread], on board: FloorBoard) {
    board.store(end, .stop)
    board.store(end, .go)
    board.wake(.go)
    for thread in sources { thread.join() }
  }

  /// One switch: from the last source thread's leaving to the first destination thread's running, nanoseconds.
  package mutating func sample() throws(FloorError) -> UInt64 {
    round += 1
    let round = round
    return try placement.control { () throws(FloorError) -> UInt64 in
      try wait(for: UInt32(threads), in: .parked)
      for word in [FloorBoard.Word.parked, .spinning, .left, .entered] { board.store(0, word) }
      board.store(round, .go)
      board.wake(.go)
      try wait(for: UInt32(threads), in: .spinning)
      board.store(round, .stop)
      try wait(for: UInt32(threads), in: .entered)
      guard board.holds(round) else { throw .torn }
      return board.downtime(threads: threads)
    }
  }

  private func wait(for value: UInt32, in word: FloorBoard.Word) throws(FloorError) {
    guard board.wait(for: value, in: word, deadline: MonotonicClock.now() + Floor.timeout) else {
      throw .late("\(word)")
    }
  }

  /// A source thread: a round is a busy loop until the stop flag names it.
  private static func runSource(_ index: Int, of threads: Int, on board: FloorBoard) {
    var round: UInt32 = 0
    while true {
      round += 1
      board.waitUntil(.go, reaches: round)
      if board.load(.go) == end { return }
      if board.count(.spinning) == threads { board.wake(.spinning) }
      while board.load(.stop) < round {}
      board.leave(index, at: MonotonicClock.now())
      if board.count(.left) == threads {
        board.leave(index, at: MonotonicClock.now())
        board.hand(over: round)
        board.store(round, .resume)
        board.wake(.resume)
      }
    }
  }

  /// A destination thread: parks until its round, and parks again.
  static func runDestination(_ index: Int, of threads: Int, on board: FloorBoard) {
    var round: UInt32 = 0
    while true {
      round += 1
      if board.count(.parked) == threads { board.wake(.parked) }
      board.waitUntil(.resume, reaches: round)
      board.enter(index, at: MonotonicClock.now())
      if board.count(.entered) == threads { board.wake(.entered) }
    }
  }
}
