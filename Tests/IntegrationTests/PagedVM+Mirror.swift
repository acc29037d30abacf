import FSRHandoff
import FSRSystem
import FSRTestSupport

/// Handoffs to another swap file.
extension PagedVM {
  func path(_ name: String) -> String { "\(place.path)/\(name)" }

  /// What asks for a copy to the file `name` beside the VM's first one, or to a path.
  func mirroring(to name: String, rate: String? = nil) -> [String] {
    ["--swap", "mirrored", "--swap-file", name.hasPrefix("/") ? name : path(name)]
      + (rate.map { ["--copy-rate", $0] } ?? [])
  }

  func handOver(_ options: [String]) throws -> (code: Int32?, value: JSONValue) {
    try vm.answer("handoff", ["--max-downtime", "5s"] + options)
  }

  /// What is not as it must be of the files beside the first one, where the VM uses the file `name`.
  ///
  /// - Parameter kept: those that are there besides.
  func fileFindings(using name: String, kept: [String] = []) throws -> [String] {
    var findings: [String] = []
    let due = (kept + (name.hasPrefix("/") ? [] : [name])).sorted()
    var names: [String] = []
    // A disk that is slow with a removal is left to it.
    let areDue = try TestVM.wait {
      names = try place.directory.names(limit: 100).sorted()
      return names == due
    }
    if !areDue { findings.append("files \(names) instead of \(due)") }
    let used = try status()["swap"]?["path"]?.text
    if used != (name.hasPrefix("/") ? name : path(name)) {
      findings.append("the swap file is \(used as Any), not \(name)")
    }
    return findings
  }

  /// Waits until at least so many slots are in use.
  func waitForSlots(_ least: Double) throws {
    guard try TestVM.wait(until: { try status()["swap"]?["used"]?.number ?? 0 >= least }) else {
      throw Unexpected("\(least) slots are never in use: \(try status())")
    }
  }

  /// Starts a mirrored handoff and waits until so many bytes were copied.
  func startMirroring(
    to name: String, rate: String, copied least: UInt64 = 1, _ options: [String] = [],
    output: borrowing OwnedDescriptor
  ) throws -> ChildProcess {
    let before = try vm.newestBlock()?.attempt
    let child = try vm.startHandoff(
      ["--timeout", "60s", "--max-downtime", "5s"] + mirroring(to: name, rate: rate) + options, output: output
    )
    let isCopying = try TestVM.wait {
      if ProcessTable.state(of: child.pid) == .dead { return true }
      guard let block = try vm.newestBlock(), block.attempt != before else { return false }
      return block.copiedBytes >= least
    }
    guard isCopying, ProcessTable.state(of: child.pid) != .dead else {
      throw Unexpected("nothing is copied to \(name)")
    }
    return child
  }
}
