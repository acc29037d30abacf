public import FSRHost
internal import FSRMachine
internal import FSRMemory
internal import FSRSoftCPU
internal import FSRSystem

extension ReferenceVM {
  public func report(into facets: inout VMReport.Facets) {
    facets.paging = guest.paging.map(paging)
    facets.console = VMReport.Console(
      path: guest.configuration.console, droppedBytes: guest.console.droppedCount)
    facets.vcpus.counts = guest.cpus.map { VMReport.VCPU(id: $0.hart, instructions: $0.instructions) }
    facets.vcpus.times = guest.cpus.map { cpu in
      let reading = guest.load.meters.reading(of: cpu.hart)
      return VMReport.Time(nanoseconds: reading.ran, exits: reading.exits)
    }
    facets.load = guest.load.averages
    facets.nics = guest.ports.members.map {
      VMReport.NIC($0.port, $0.counters.reading, trouble: $0.pump.trouble)
    }
    facets.vcpus.countedAt = MonotonicClock.now()
    facets.arrival = guest.arrival.samples
    if let soak = SoakStatistics(of: guest.machine) {
      facets.guest = VMReport.Guest(
        ticks: soak.harts.map(\.ticks).reduce(0, &+), passes: soak.harts.map(\.passes).min() ?? 0,
        errors: soak.harts.map(\.errors).reduce(0, &+),
        maxGapMicroseconds: ((soak.harts.map(\.maxGapTicks).max() ?? 0) &+ 9) / 10)
    }
  }

  private func paging(_ paging: GuestPaging) -> VMReport.Paging {
    paging.latencies.collect(from: paging.pager)
    let status = paging.pager.status
    let slots = paging.slots
    var answer = VMReport.Paging()
    answer.residentLimit = paging.configuration.resident
    answer.compression = paging.configuration.compression
    answer.pages.resident = status.pages.resident
    answer.pages.compressed = status.pages.compressed
    answer.pages.swapped = status.pages.swapped
    answer.swap.path = paging.configuration.swap
    answer.swap.slots = slots.count
    answer.swap.used = slots.used
    answer.faults.minor = status[.minorFaults]
    answer.faults.missing = status[.missingFaults]
    answer.faults.evictions = status[.compressions] + status[.writes] + status[.zeros]
    let now = MonotonicClock.now()
    answer.rates.evictions = paging.evictions.measure(answer.faults.evictions, at: now)
    answer.rates.faults = paging.faults.measure(answer.faults.minor + answer.faults.missing, at: now)
    answer.faults.failures = status[.failures]
    answer.faults.readAhead = status[.readAhead]
    answer.waits = [50, 90, 99, 100].map { paging.latencies.percentile($0) ?? 0 }
    let trouble = missingPage.trouble ?? status.trouble?.description
    answer.trouble = trouble ?? ""
    return answer
  }
}
