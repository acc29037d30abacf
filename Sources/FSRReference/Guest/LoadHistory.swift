package import FSRState
package import FSRSystem
internal import Synchronization

/// How busy a guest was since its birth: its vCPUs' times, and its load averages.
///
/// A thread looks at the times every five seconds while this process owns the guest; it rests before the guest
/// is given away. The stretch between the last look there and the first one here is one like any other.
package final class LoadHistory: SavesState, Sendable {
  static let section = "load"
  /// Nanoseconds between two looks.
  private static let interval: UInt64 = 5_000_000_000

  /// Of the last look.
  private struct Sample {
    var averages = LoadAverage()
    /// When it was, on the host's monotonic clock; 0 before the first.
    var time: UInt64 = 0
    /// How long the vCPUs had been in the guest, in nanoseconds.
    var ran: UInt64 = 0
  }

  package let meters: VCPUMeters
  private let sample = Mutex(Sample())
  private let worker = PeriodicThread(name: "load")
  private let bell: EventDescriptor

  package init(vcpus: Int) throws(SystemError) {
    meters = try VCPUMeters(vcpus: vcpus)
    bell = try EventDescriptor()
  }

  /// Over 1, 5 and 15 minutes, as of the last look.
  package var averages: [Double] { sample.withLock { $0.averages.values } }

  package func start() throws(SystemError) {
    try bell.clear()
    try worker.start { [self] in
      look(at: MonotonicClock.now())
      var poller = Poller()
      poller.watch(bell.descriptor, token: 0)
      _ = try? poller.wait(timeout: Self.interval)
    }
  }

  package func rest() { worker.rest { try? bell.signal() } }

  package func stop() { worker.stop { try? bell.signal() } }

  /// Takes note of the vCPUs' times, if an interval has passed since the last look.
  package func look(at now: UInt64) {
    let ran = meters.total
    sample.withLock { sample in
      if sample.time == 0 {
        sample.time = now
        sample.ran = ran
      }
      guard now >= sample.time &+ Self.interval else { return }
      let span = Double(now - sample.time)
      let running = ran >= sample.ran ? Double(ran - sample.ran) / span : 0
      sample.averages.add(running: min(running, Double(meters.vcpus)), nanoseconds: span)
      sample.time = now
      sample.ran = ran
    }
  }

  // MARK: travelling

  package static var stateVersion: UInt16 { 1 }

  package func save(to writer: inout ByteWriter) {
    writer.write(UInt16(meters.vcpus))
    for vcpu in 0..<meters.vcpus { meters.save(vcpu, to: &writer) }
    sample.withLock { sample in
      for index in sample.averages.values.indices { writer.write(sample.averages.values[index].bitPattern) }
      writer.write(sample.time)
      writer.write(sample.ran)
    }
  }

  package func restore(from reader: inout ByteReader, version: UInt16) throws(StateError) {
    guard version == Self.stateVersion else {
      throw .sectionVersion(Self.section, has: version, reads: Self.stateVersion)
    }
    let now = MonotonicClock.now()
    let vcpus = Int(try reader.read(UInt16.self))
    guard vcpus == meters.vcpus else { throw .invalid("vCPU count of the load", UInt64(vcpus)) }
    var readings: [VCPUMeters.Reading] = []
    readings.reserveCapacity(vcpus)
    for _ in 0..<vcpus {
      let reading = VCPUMeters.Reading(ran: try reader.read(), exits: try reader.read())
      // Both processes read the same clock, which began at the host's boot.
      guard reading.ran <= now else { throw .invalid("time in the guest", reading.ran) }
      guard reading.exits < VCPUMeters.exitBound else { throw .invalid("exit count", reading.exits) }
      readings.append(reading)
    }
    var values: [Double] = []
    for _ in LoadAverage.spans { values.append(Double(bitPattern: try reader.read())) }
    guard let averages = LoadAverage(values, vcpus: vcpus) else { throw .invalid("load average", 0) }
    let time = try reader.read(UInt64.self)
    guard time <= now else { throw .invalid("time of the load", time) }
    let ran = try reader.read(UInt64.self)
    guard ran <= readings.map(\.ran).reduce(0, &+) else { throw .invalid("sum of times in the guest", ran) }
    try reader.finish()
    for vcpu in readings.indices { meters.restore(readings[vcpu], of: vcpu) }
    sample.withLock { $0 = Sample(averages: averages, time: time, ran: ran) }
  }
}
