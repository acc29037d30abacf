internal import CFSRTestLinux
public import FSRSystem

/// Descriptors that only the process that made them can use, or nobody.
public enum BoundDescriptor: String, CaseIterable, Sendable {
  case closed, reference, ring, userFault, machine, vCPU

  public var flaw: DescriptorFlaw {
    switch self {
    case .closed: .closed
    case .reference: .reference
    case .ring: .ring
    case .userFault: .userFault
    case .machine, .vCPU: .virtualMachine
    }
  }

  /// One of them; nil, which is said loudly, where this host has none.
  public func make() throws -> OwnedDescriptor? {
    do throws(SystemError) {
      switch self {
      case .closed: return try Self.makeClosed()
      case .reference: return try OwnedDescriptor.reference(to: "/dev/null")
      case .ring: return try Self.check(cfsrtest_ring(), "io_uring_setup")
      case .userFault: return try UserFault().descriptor.duplicate()
      case .machine: return try Self.check(cfsrtest_machine(), "KVM_CREATE_VM")
      case .vCPU:
        let machine = try Self.check(cfsrtest_machine(), "KVM_CREATE_VM")
        return try Self.check(cfsrtest_vcpu(machine.number), "KVM_CREATE_VCPU")
      }
    } catch {
      try? OwnedDescriptor.standardError().write(Array("SKIPPED: no \(rawValue) here: \(error)\n".utf8))
      return nil
    }
  }

  /// With a number that nobody gets who asks for the lowest one.
  private static func makeClosed() throws(SystemError) -> OwnedDescriptor {
    let number = try OwnedDescriptor.open("/dev/null", .read).duplicate(lowest: 900).release()
    _ = OwnedDescriptor(adopting: number)
    return OwnedDescriptor(adopting: number)
  }

  private static func check(_ answer: Int32, _ call: String) throws(SystemError) -> OwnedDescriptor {
    if answer < 0 { throw SystemError(call, errno: -answer) }
    return OwnedDescriptor(adopting: answer)
  }
}
