package import FSRSystem

/// The process that a VM is not to outlive, however that ends: `fsr demo` and `fsr bench` show their VM nobody else.
///
/// It stands in the environment, and so goes with the VM from process to process.
package enum Companion {
  private static let prefix = "FSR_ENDS_WITH="

  case nobody
  case gone
  case lives(Owned<ProcessDescriptor>)

  /// The variable that makes this very process the companion.
  package static var own: String {
    let identity = ProcessIdentity.current()
    return "\(prefix)\(identity.pid):\(identity.startTime)"
  }

  /// This VMM's.
  package static func find(in environment: [String] = Environment.all) -> Companion {
    guard let entry = environment.first(where: { $0.hasPrefix(prefix) }) else { return .nobody }
    let numbers = entry.dropFirst(prefix.count).split(separator: ":").map { UInt64($0) }
    guard numbers.count == 2, let pid = numbers[0].flatMap({ Int32(exactly: $0) }), let start = numbers[1],
      let boot = try? BootID.current()
    else { return .nobody }
    do {
      let identity = ProcessIdentity(pid: pid, startTime: start, bootID: boot)
      guard let process = try ProcessDescriptor.open(identity) else { return .gone }
      return .lives(Owned(process))
    } catch {
      // Who cannot look ends nothing.
      return .nobody
    }
  }
}
