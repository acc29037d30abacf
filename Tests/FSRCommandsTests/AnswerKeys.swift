/// The keys that scripts rely on.
enum AnswerKeys {
  static let status: Set<String> = [
    "name", "generation", "pid", "binary", "build", "state", "vmm", "verbs", "memory.bytes",
    "memory.resident_pages",
    "memory.compressed_pages", "memory.swapped_pages", "memory.absent_pages", "reservation.bytes",
    "reservation.owner_pid", "swap.path", "swap.slots", "swap.used",
    "paging.resident_limit_bytes", "paging.compression_bytes", "paging.minor_faults", "paging.missing_faults",
    "paging.evictions", "paging.evictions_per_second", "paging.faults_per_second",
    "paging.failures", "paging.read_ahead_pages", "paging.fault_p50_us",
    "paging.fault_p90_us", "paging.fault_p99_us", "paging.fault_max_us", "paging.trouble", "console.path",
    "console.dropped_bytes",
    "numa", "vcpus", "load.avg1m", "load.avg5m", "load.avg15m", "nics", "guest.ticks", "guest.passes",
    "guest.errors",
    "guest.max_gap_us", "log", "reason",
  ]
  static let handoff: Set<String> = [
    "vm", "handoff_id", "victor", "generation", "build", "downtime_us", "total_ms", "guest_max_gap_us",
    "phases",
    "memory.pages", "memory.shared_pages", "memory.copied_pages", "swap.mode", "swap.slots",
    "swap.bytes_copied", "reservation.bytes", "reason", "reason_code", "blockers",
  ]
  static let list: Set<String> = ["vms"]
  static let recover: Set<String> = ["name", "owner", "pid", "generation", "reason"]
  static let history: Set<String> = ["handoffs", "skipped", "unread_bytes", "reason"]
  static let ledger: Set<String> = ["capacity", "reserved", "nodes", "records", "reason"]
  static let stop: Set<String> = ["name", "reason"]
}
