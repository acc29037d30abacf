import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// A checkpoint that does not fit its checksum: the destination gives the guest back, and the source goes on.
@Suite(.serialized) struct BrokenCheckpointTests {
  @Test(arguments: ["", ",destination:giveBack:kill"])
  func theSourceTakesTheGuestBack(_ more: String) async {
    await Blocking.check { try Self.findings("destination:claimVerify:stop" + more) }
  }

  private static func findings(_ fault: String) throws -> [String] {
    let vm = try TestVM()
    try vm.run(["--memory", "64M", "--vcpus", "2", "--duty", "10"])
    let first = try vm.answer("status").value["pid"]
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let handoff = try vm.startHandoff(
      ["--timeout", "30s", "--max-downtime", "20s", "--fault", fault], output: output)
    var findings: [String] = []
    let isStopped = try TestVM.wait { try vm.machines().contains { $0.value == .stopped } }
    if !isStopped { findings.append("the destination does not come to its checkpoint") }
    // It stands between complete and its look at the bytes.
    guard let block = try vm.newestBlock(), let source = block.identity(of: .source),
      let number = block.heldDescriptors(of: .source).dropFirst().first
    else { throw Unexpected("the source holds nothing") }
    let checkpoint = try OwnedDescriptor.open("/proc/\(source.pid)/fd/\(number)", .readWrite)
    let byte = try checkpoint.read(at: 100, count: 1)
    try checkpoint.write([byte[0] ^ 1], at: 100)
    try vm.letGo()

    let status = try handoff.ended()
    if status != .exited(4) { findings.append("handoff ended with \(String(describing: status))") }
    let text = String(
      decoding: try place.directory.openFile("output", .read).readAll(limit: 1 << 20), as: UTF8.self)
    if fault == "destination:claimVerify:stop", !text.contains("checksum") {
      findings.append("it says \(text)")
    }
    let after = try vm.status()
    if after["pid"] != first || after["generation"]?.number != 1 {
      findings.append("the source lost it: \(after)")
    }
    if try !vm.advances() { findings.append("the guest stands still") }
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest counts errors: \(String(describing: errors))") }
    for left in try vm.stopped() { findings.append("left behind: \(left)") }
    return findings
  }
}
