import FSRMachine
import FSRMemory
import FSRState
import Synchronization

struct StillClock: GuestClock { let ticks: UInt64 }

final class RecordingConsole: ConsoleSink {
  private let bytes = Mutex<[UInt8]>([])
  func write(_ byte: UInt8) { bytes.withLock { $0.append(byte) } }
  var all: [UInt8] { bytes.withLock { $0 } }
}

/// Holds what is typed until the guest takes it.
final class TypedInput: ConsoleSource {
  private let bytes = Mutex<[UInt8]>([])
  func type(_ text: String) { bytes.withLock { $0 += Array(text.utf8) } }
  func take() -> UInt8? { bytes.withLock { $0.isEmpty ? nil : $0.removeFirst() } }
  var left: Int { bytes.withLock { $0.count } }
}

struct NoWaker: WakesHarts {
  func wake(hart: Int) {}
}

/// Remembers whom it was told to wake.
final class RecordingWaker: WakesHarts {
  private let woken = Mutex<Set<Int>>([])
  func wake(hart: Int) { _ = woken.withLock { $0.insert(hart) } }

  /// Those since the last look.
  func look() -> Set<Int> {
    woken.withLock { woken in
      defer { woken = [] }
      return woken
    }
  }
}

/// A hart that only keeps where it was put.
final class ParkedHart: VirtualCPU {
  let hart: Int
  let start = Mutex<(entry: UInt64, tree: UInt64)>((0, 0))
  init(hart: Int) { self.hart = hart }
  var instructions: UInt64 { 0 }
  func run(budget: UInt64) -> CPUExit { .budget }
  func reset(entry: UInt64, deviceTree: UInt64) { start.withLock { $0 = (entry, deviceTree) } }
  static var stateVersion: UInt16 { 1 }
  func save(to writer: inout ByteWriter) {}
  func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) { try reader.finish() }
}

/// A board without a CPU.
func board(
  megabytes: UInt64 = 1, harts: Int = 1, ticks: UInt64 = 0, console: RecordingConsole = RecordingConsole(),
  input: TypedInput? = nil, waker: any WakesHarts = NoWaker()
) throws -> Machine {
  try Machine(
    memory: GuestMemory(size: megabytes << 20), harts: harts, clock: StillClock(ticks: ticks),
    console: console, input: input, waker: waker)
}
