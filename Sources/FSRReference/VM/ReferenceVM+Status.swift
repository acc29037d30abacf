public import FSRHost
internal import FSRMachine
internal import FSRMemory
internal import FSRSoftCPU
internal import FSRSystem

extension ReferenceVM {
  public func report(into status: inout VMStatus) {
    status.paging = guest.paging.map(paging)
    status.consolePath = guest.configuration.console
    status.droppedBytes = guest.console.droppedCount
    status.vcpus = guest.cpus.map { VMStatus.VCPU(id: $0.hart, instructions: $0.instructions) }
    status.times = guest.cpus.map { cpu in
      let reading = guest.load.meters.reading(of: cpu.hart)
      return VMStatus.Time(nanoseconds: reading.ran, exits: reading.exits)
    }
    status.loadAverages = guest.load.averages
    status.ports = guest.ports.members.map {
      VMStatus.NIC($0.port, $0.counters.reading, trouble: $0.pump.trouble)
    }
    status.countedAt = MonotonicClock.now()
    status.arrival = guest.arrival.samples
    if let soak = SoakStatistics(of: guest.machine) {
      status.guest = VMStatus.Guest(
        ticks: soak.harts.map(\.ticks).reduce(0, &+), passes: soak.harts.map(\.passes).min() ?? 0,
        errors: soak.harts.map(\.errors).reduce(0, &+),
        maxGapMicroseconds: ((soak.harts.map(\.maxGapTicks).max() ?? 0) &+ 9) / 10)
    }
  }

  private func paging(_ paging: GuestPaging) -> VMStatus.Paging {
    paging.latencies.collect(from: paging.pager)
    let status = paging.pager.status
    let slots = paging.slots
    var answer = VMStatus.Paging()
    answer.residentLimit = paging.configuration.resident
    answer.compression = paging.configuration.compression
    answer.residentPages = status.pages.resident
    answer.compressedPages = status.pages.compressed
    answer.swappedPages = status.pages.swapped
    answer.swapPath = paging.configuration.swap
    answer.slots = slots.count
    answer.usedSlots = slots.used
    answer.minorFaults = status[.minorFaults]
    answer.missingFaults = status[.missingFaults]
    answer.evictions = status[.compressions] + status[.writes] + status[.zeros]
    let now = MonotonicClock.now()
    answer.evictionsPerSecond = paging.evictions.measure(answer.evictions, at: now)
    answer.faultsPerSecond = paging.faults.measure(answer.minorFaults + answer.missingFaults, at: now)
    answer.failures = status[.failures]
    answer.readAhead = status[.readAhead]
    answer.waits = [50, 90, 99, 100].map { paging.latencies.percentile($0) ?? 0 }
    let trouble = missingPage.trouble ?? status.trouble?.description
    answer.trouble = trouble ?? ""
    return answer
  }
}
