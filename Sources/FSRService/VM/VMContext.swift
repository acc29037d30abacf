package import FSRHost
public import FSRState
package import FSRSystem

/// What a VM has from the process that serves it.
public final class VMContext: Sendable {
  /// Which machine the guest runs on, from its first start to its end.
  public let identity: MachineIdentity
  public let log: ServiceLog
  /// Where the VM says that its guest has ended itself.
  public let ending = GuestEnding()
  /// The VM's folder.
  package let folder: Owned<VMFolder>
  /// That this process has the VM, for whoever wants to know whether anybody does.
  package let presence: VMPresence

  package init(
    _ identity: MachineIdentity, log: ServiceLog, folder: consuming VMFolder, presence: VMPresence
  ) {
    self.identity = identity
    self.log = log
    self.folder = Owned(folder)
    self.presence = presence
  }

  /// Has the process look again whether it has something to do: what a VM answers has changed.
  public func changed() { ending.wake() }

  /// The manifest of the guest, as far as that is the VM's to say; the rest is the service's.
  ///
  /// - Parameters:
  ///   - slots: the names of the guest's descriptors, in their order.
  ///   - memory: where which of them lies in the guest.
  ///   - sections: state that does not change while the guest runs.
  ///   - checkpointCapacity: bytes that the checkpoint may have at most.
  public func manifest(
    slots: [String], memory: [Manifest.Memory], sections: [StateSection], checkpointCapacity: UInt64
  ) -> Manifest {
    Manifest(
      name: folder.value.name, machine: identity, slots: slots, memory: memory, sections: sections,
      checkpointCapacity: checkpointCapacity, executable: "", arguments: [])
  }
}
