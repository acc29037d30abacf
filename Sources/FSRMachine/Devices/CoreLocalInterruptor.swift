public import FSRState
import Synchronization

/// The CLINT: software interrupts, timers and the time, for all harts.
public final class CoreLocalInterruptor: BusDevice {
  private let lines: [HartLines]
  private let clock: any GuestClock
  private let waker: any WakesHarts
  /// What the guest added to the time by writing mtime.
  private let shift = Atomic<UInt64>(0)

  init(lines: [HartLines], clock: any GuestClock, waker: any WakesHarts) {
    self.lines = lines
    self.clock = clock
    self.waker = waker
  }

  /// mtime: the guest clock, moved by what the guest wrote there.
  public var time: UInt64 { clock.ticks &+ shift.load(ordering: .relaxed) }

  /// The time is 0 again, and no timer set.
  func reset() {
    shift.store(0 &- clock.ticks, ordering: .releasing)
    for line in lines {
      line.software.store(0, ordering: .releasing)
      line.timeCompare.store(.max, ordering: .releasing)
    }
  }

  /// The guest clock's reading at which mtime is `time`; what a waiting hart sleeps until.
  /// 0 where it has come.
  public func clockTicks(at time: UInt64) -> UInt64 {
    let ticks = clock.ticks
    let now = ticks &+ shift.load(ordering: .relaxed)
    if time <= now { return 0 }
    let (due, isTooFar) = ticks.addingReportingOverflow(time - now)
    return isTooFar ? .max : due
  }

  private enum Register {
    case software(Int)
    case timeCompare(Int)
    case time
    /// Of a hart that there is not: reads 0, takes every store.
    case reserved
    /// Nothing answers.
    case absent
  }

  private func register(_ offset: UInt64) -> Register {
    switch offset {
    case 0..<0x4000:
      let hart = Int(offset / 4)
      return hart < lines.count ? .software(hart) : .reserved
    case 0x4000..<0xbff8:
      let hart = Int((offset - 0x4000) / 8)
      return hart < lines.count ? .timeCompare(hart) : .reserved
    case 0xbff8..<0xc000: return .time
    default: return .absent
    }
  }

  /// Software interrupts are words; the timer's registers can be taken whole or in halves.
  private func register(_ offset: UInt64, width: Int) -> Register {
    width == 4 || width == 8 && offset >= 0x4000 ? register(offset) : .absent
  }

  func load(_ offset: UInt64, width: Int) -> UInt64? {
    let whole: UInt64
    switch register(offset, width: width) {
    case .software(let hart): return UInt64(lines[hart].software.load(ordering: .relaxed))
    case .timeCompare(let hart): whole = lines[hart].timeCompare.load(ordering: .relaxed)
    case .time: whole = time
    case .reserved: return 0
    case .absent: return nil
    }
    return width == 8 ? whole : (whole >> (offset % 8 * 8)) & 0xffff_ffff
  }

  func store(_ value: UInt64, at offset: UInt64, width: Int) -> BusOutcome {
    switch register(offset, width: width) {
    case .software(let hart): setSoftware(hart, value & 1)
    case .timeCompare(let hart):
      let old = lines[hart].timeCompare.load(ordering: .relaxed)
      lines[hart].timeCompare.store(merge(value, into: old, offset, width), ordering: .releasing)
      waker.wake(hart: hart)
    case .time:
      let now = clock.ticks
      let old = now &+ shift.load(ordering: .relaxed)
      shift.store(merge(value, into: old, offset, width) &- now, ordering: .releasing)
      for hart in lines.indices { waker.wake(hart: hart) }
    case .reserved: break
    case .absent: return .fault
    }
    return .done
  }

  private func setSoftware(_ hart: Int, _ value: UInt64) {
    lines[hart].software.store(UInt32(value), ordering: .releasing)
    if value != 0 { waker.wake(hart: hart) }
  }

  private func merge(_ value: UInt64, into old: UInt64, _ offset: UInt64, _ width: Int) -> UInt64 {
    if width == 8 { return value }
    let position = offset % 8 * 8
    return old & ~(0xffff_ffff << position) | (value & 0xffff_ffff) << position
  }
}

extension CoreLocalInterruptor: SavesState {
  public static var stateVersion: UInt16 { 1 }

  public func save(to writer: inout ByteWriter) {
    writer.write(shift.load(ordering: .relaxed))
    writer.write(UInt16(lines.count))
    for line in lines {
      writer.write(UInt8(truncatingIfNeeded: line.software.load(ordering: .relaxed)))
      writer.write(line.timeCompare.load(ordering: .relaxed))
    }
  }

  public func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion("clint", has: version, reads: Self.stateVersion)
    }
    let newShift = try reader.read(UInt64.self)
    let count = try reader.read(UInt16.self)
    guard Int(count) == lines.count else { throw .invalid("hart count", UInt64(count)) }
    var values: [(software: Bool, compare: UInt64)] = []
    for _ in 0..<count { values.append((try reader.readBool(), try reader.read(UInt64.self))) }
    try reader.finish()
    shift.store(newShift, ordering: .releasing)
    for (line, value) in zip(lines, values) {
      line.software.store(value.software ? 1 : 0, ordering: .releasing)
      line.timeCompare.store(value.compare, ordering: .releasing)
    }
  }
}
