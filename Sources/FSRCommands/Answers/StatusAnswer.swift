internal import FSRClient
package import FSRHost
internal import FSRSystem

/// How a VM fares: the answer of `fsr status` and `fsr run`, and an element of `fsr list`.
package struct StatusAnswer: Answer {
  /// Bytes in a page of guest memory, the unit of the page counts.
  static let pageSize: UInt64 = 4096

  struct Memory: Codable, Equatable, Sendable {
    @Nullable var bytes: UInt64?
    @Nullable var residentPages: UInt64?
    @Nullable var compressedPages: UInt64?
    @Nullable var swappedPages: UInt64?
    @Nullable var absentPages: UInt64?
  }

  struct Reservation: Codable, Equatable, Sendable {
    @Nullable var bytes: UInt64?
    @Nullable var ownerPid: Int32?
  }

  struct Placement: Codable, Equatable, Sendable {
    let nodes: [Int]
    let policy: String
  }

  struct Swap: Codable, Equatable, Sendable {
    @Nullable var path: String?
    @Nullable var slots: UInt64?
    @Nullable var used: UInt64?
  }

  struct Paging: Codable, Equatable, Sendable {
    @Nullable var residentLimitBytes: UInt64?
    @Nullable var compressionBytes: UInt64?
    @Nullable var minorFaults: UInt64?
    @Nullable var missingFaults: UInt64?
    @Nullable var evictions: UInt64?
    @Nullable var evictionsPerSecond: UInt64?
    /// Of both kinds.
    @Nullable var faultsPerSecond: UInt64?
    @Nullable var readAheadPages: UInt64?
    /// Operations of the swap file, and of the host's memory, that failed.
    @Nullable var failures: UInt64?
    @Nullable var faultP50Us: Double?
    @Nullable var faultP90Us: Double?
    @Nullable var faultP99Us: Double?
    @Nullable var faultMaxUs: Double?
    /// Why pages can not be written or read.
    @Nullable var trouble: String?
  }

  struct Console: Codable, Equatable, Sendable {
    @Nullable var path: String?
    @Nullable var droppedBytes: UInt64?
  }

  struct VCPU: Codable, Equatable, Sendable {
    let id: Int
    let instructions: UInt64
    @Nullable var runMs: UInt64?
    @Nullable var exits: UInt64?
  }

  /// How many vCPUs ran, on average over so many minutes.
  struct Load: Codable, Equatable, Sendable {
    @Nullable var avg1m: Double?
    @Nullable var avg5m: Double?
    @Nullable var avg15m: Double?
  }

  struct NIC: Codable, Equatable, Sendable {
    let tap: String
    let mac: String
    let mtu: Int
    let queues: Int
    let rxFrames: UInt64
    let rxBytes: UInt64
    let txFrames: UInt64
    let txBytes: UInt64
    let dropped: UInt64
    /// Why no frames go through it.
    @Nullable var trouble: String?
  }

  struct Guest: Codable, Equatable, Sendable {
    @Nullable var ticks: UInt64?
    @Nullable var passes: UInt64?
    @Nullable var errors: UInt64?
    @Nullable var maxGapUs: UInt64?
  }

  @Nullable var name: String?
  @Nullable var generation: UInt64?
  @Nullable var pid: Int32?
  @Nullable var binary: String?
  @Nullable var build: String?
  @Nullable var state: String?
  /// What kind of VMM the VM has, and what that can be asked for; null of a build that knows one kind.
  @Nullable var vmm: String?
  @Nullable var verbs: [String]?
  var memory = Memory()
  var reservation = Reservation()
  @Nullable var numa: Placement?
  var swap = Swap()
  var paging = Paging()
  var console = Console()
  @Nullable var vcpus: [VCPU]?
  var load = Load()
  @Nullable var nics: [NIC]?
  var guest = Guest()
  @Nullable var log: String?
  /// Why there is no answer, or none of the VMM's own where it should give one.
  @Nullable var reason: String?

  /// Of a VM that nothing is known of.
  init(name: String?, reason: String? = nil) {
    self.name = name
    self.reason = reason
  }

  package init(_ status: VMStatus) {
    let report = status.report
    name = status.name
    reason = status.silence.isEmpty ? nil : status.silence
    generation = status.generation
    pid = status.pid > 0 ? status.pid : nil
    state = status.state.rawValue
    log = report.facts.log.isEmpty ? nil : report.facts.log
    if status.isAnswered || status.reservation != nil { reservation.bytes = status.reservedBytes }
    reservation.ownerPid = status.reservation?.owner
    guard status.isAnswered else { return }
    show(report.facts, report.runner)
    show(report.facets, ofMemory: report.facts.memoryBytes, resident: report.residentPages)
    if report.facts.verbs.contains(.console) {
      let console = report.facets.console
      self.console = Console(
        path: console.path.isEmpty ? nil : console.path, droppedBytes: console.droppedBytes)
    }
  }

  private mutating func show(_ facts: VMReport.Facts, _ runner: VMReport.Runner) {
    binary = runner.binary
    build = runner.build
    if facts.kind.isEmpty { return }
    vmm = facts.kind
    verbs = facts.verbs.sorted { $0.rawValue < $1.rawValue }.map(\.name)
  }

  private mutating func show(_ facets: VMReport.Facets, ofMemory bytes: UInt64, resident: UInt64) {
    let pages = bytes / StatusAnswer.pageSize
    memory = Memory(
      bytes: bytes, residentPages: resident, compressedPages: 0, swappedPages: 0,
      absentPages: pages - min(pages, resident))
    if let paging = facets.paging { show(paging, of: pages) }
    numa = facets.placement.map { Placement(nodes: $0.nodes.nodes, policy: $0.policy) }
    let times = facets.vcpus.times
    vcpus = facets.vcpus.counts.enumerated().map { index, vcpu in
      let time = index < times.count ? times[index] : nil
      return VCPU(
        id: vcpu.id, instructions: vcpu.instructions, runMs: time.map { $0.nanoseconds / 1_000_000 },
        exits: time?.exits)
    }
    if facets.load.count == 3 {
      let rounded = facets.load.map { ($0 * 100).rounded() / 100 }
      load = Load(avg1m: rounded[0], avg5m: rounded[1], avg15m: rounded[2])
    }
    nics = facets.nics.map(NIC.init)
    guard let soak = facets.guest else { return }
    guest = Guest(
      ticks: soak.ticks, passes: soak.passes, errors: soak.errors, maxGapUs: soak.maxGapMicroseconds)
  }

  private mutating func show(_ report: VMReport.Paging, of pages: UInt64) {
    memory.compressedPages = report.pages.compressed
    memory.swappedPages = report.pages.swapped
    // Numbers of somebody else: their sum may be more than a number holds.
    var rest = pages
    for some in [memory.residentPages ?? 0, report.pages.compressed, report.pages.swapped] {
      rest -= min(rest, some)
    }
    memory.absentPages = rest
    swap = Swap(path: report.swap.path, slots: report.swap.slots, used: report.swap.used)
    paging = Paging(
      residentLimitBytes: report.residentLimit, compressionBytes: report.compression,
      minorFaults: report.faults.minor, missingFaults: report.faults.missing,
      evictions: report.faults.evictions, evictionsPerSecond: report.rates.evictions,
      faultsPerSecond: report.rates.faults, readAheadPages: report.faults.readAhead,
      failures: report.faults.failures, trouble: report.trouble.isEmpty ? nil : report.trouble)
    guard report.waits.count == 4, report.waits[3] > 0 else { return }
    let times = report.waits.map { Double($0) / 1000 }
    (paging.faultP50Us, paging.faultP90Us) = (times[0], times[1])
    (paging.faultP99Us, paging.faultMaxUs) = (times[2], times[3])
  }

  /// What is wrong with things of the VM's that can fail while its guest runs.
  var troubles: [String] {
    (paging.trouble.map { [$0] } ?? [])
      + (nics ?? []).compactMap { nic in nic.trouble.map { "port \(nic.tap): \($0)" } }
  }

  /// For people: a line for each thing that is known.
  var lines: [String] {
    var lines = ["name        \(name ?? "-")", "state       \(state ?? "-")"]
    if let reason { lines.append("no answer   \(reason)") }
    if let pid { lines.append("pid         \(pid)") }
    if let generation { lines.append("generation  \(generation)") }
    if let bytes = memory.bytes, let resident = memory.residentPages {
      let used = ByteSize.readable(pages: resident)
      lines.append("memory      \(ByteSize.readable(bytes)), of which \(used) in use")
    }
    if let bytes = reservation.bytes, bytes > 0 {
      lines.append("reserved    \(ByteSize.readable(bytes))")
    }
    if let limit = paging.residentLimitBytes, let used = swap.used, let path = swap.path {
      let compressed = ByteSize.readable(pages: memory.compressedPages ?? 0)
      let swapped = ByteSize.readable(pages: used)
      lines.append(
        "paged       within \(ByteSize.readable(limit)); \(compressed) compressed, \(swapped) in \(path)")
      lines.append(
        "faults      \(paging.missingFaults ?? 0) pages brought in, 99 % within \((paging.faultP99Us ?? 0).inThreeDigits) µs; "
          + "\(paging.faultsPerSecond ?? 0) faults/s, \(paging.evictionsPerSecond ?? 0) evictions/s")
    }
    for trouble in troubles { lines.append("trouble     \(trouble)") }
    if let numa {
      lines.append("numa        \(numa.policy), nodes \(numa.nodes.map(String.init).joined(separator: ","))")
    }
    for vcpu in vcpus ?? [] {
      let ran = vcpu.runMs.map { ", ran \($0) ms" } ?? ""
      let exits = vcpu.exits.map { ", \($0) exits" } ?? ""
      lines.append("vcpu \(vcpu.id)      \(vcpu.instructions) instructions\(ran)\(exits)")
    }
    if let one = load.avg1m, let five = load.avg5m, let fifteen = load.avg15m {
      lines.append("load        \(one), \(five), \(fifteen) vCPUs over 1, 5 and 15 minutes")
    }
    for nic in nics ?? [] {
      lines.append(
        "nic         \(nic.tap), \(nic.mac): received \(nic.rxFrames) frames, sent \(nic.txFrames), dropped \(nic.dropped)"
      )
    }
    if let passes = guest.passes, let ticks = guest.ticks, let errors = guest.errors, let gap = guest.maxGapUs
    {
      lines.append("guest       \(passes) passes, \(ticks) ticks, \(errors) errors, largest gap \(gap) µs")
    }
    if let path = console.path {
      lines.append("console     \(path), \(console.droppedBytes ?? 0) bytes dropped")
    }
    if let vmm { lines.append("vmm         \(vmm)") }
    if let binary { lines.append("binary      \(binary)") }
    if let build { lines.append("build       \(build)") }
    if let log { lines.append("log         \(log)") }
    return lines
  }
}

extension StatusAnswer.NIC {
  init(_ nic: VMReport.NIC) {
    self.init(
      tap: nic.tap, mac: nic.mac, mtu: nic.mtu, queues: nic.queues, rxFrames: nic.receivedFrames,
      rxBytes: nic.receivedBytes, txFrames: nic.sentFrames, txBytes: nic.sentBytes, dropped: nic.dropped,
      trouble: nic.trouble.isEmpty ? nil : nic.trouble)
  }
}
