internal import FSRHandoff
internal import FSRMemory
internal import FSRSystem

/// What a second VMM takes of the host's memory beside the one that has the guest: the guest's memory is shared.
enum Headroom {
  /// Bytes that a VMM takes for itself until its guest has come, twice what was measured, and for each vCPU.
  private static let ownMemory: UInt64 = 4 << 20
  private static let vcpuMemory: UInt64 = 128 << 10
  /// Bytes of a page table for each page that is mapped ahead.
  private static let tableEntry: UInt64 = 8

  /// Sees that a second VMM has room, so that the kernel need not end one.
  ///
  /// - Throws: `HandoffError.refused` with `headroom`, which names whose room it is.
  static func check(for vm: any ManagedVM) throws(HandoffError) {
    let pages = (try? vm.memory.residentPages()) ?? 0
    let own = Self.ownMemory + UInt64(vm.facts.vcpus) * Self.vcpuMemory
    let needed = own + (vm.facts.hasHugePages ? 0 : pages * Self.tableEntry)
    guard let room = MemoryRoom.least(), room.bytes < needed else { return }
    throw .refused(
      Reason(
        "a second VMM needs \(needed >> 20)M for itself, and \(room.place) has room for \(room.bytes >> 20)M",
        remedy: "raise its limit of memory, or free some", code: .headroom))
  }
}
