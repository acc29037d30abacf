import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What a newer build has put into a checkpoint, and this one does not know: it goes on to the next as it came.
@Suite(.serialized) struct PassedOnTests {
  private static let unknown = [
    StateSection(name: "later.thing", version: 7, isNeeded: false, payload: Array(0...255)),
    StateSection(name: "empty", version: 0, isNeeded: false, payload: []),
  ]

  /// Hands the guest over, and does `body` with the checkpoint while the destination stands before it.
  private static func handOver(
    _ vm: TestVM, _ body: (borrowing OwnedDescriptor, ControlBlock) throws -> [String]
  ) throws -> [String] {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let handoff = try vm.startHandoff(
      ["--timeout", "60s", "--max-downtime", "60s", "--fault", "destination:claimVerify:stop"], output: output
    )
    let stands = try TestVM.wait { try vm.machines().contains { $0.value == .stopped } }
    guard stands, let block = try vm.newestBlock(), let source = block.identity(of: .source),
      let number = block.heldDescriptors(of: .source).dropFirst().first
    else { throw Unexpected("the destination does not come to its checkpoint") }
    let isComplete = TestVM.wait { block.isComplete }
    var findings = isComplete ? [] : ["it is never complete"]
    let checkpoint = try OwnedDescriptor.open("/proc/\(source.pid)/fd/\(number)", .readWrite)
    findings += try body(checkpoint, block)
    try vm.letGo()
    let status = try handoff.ended()
    if status != .exited(0) {
      let text = try place.directory.openFile("output", .read).readAll(limit: 1 << 20)
      findings.append("handoff ended with \(status as Any): \(String(decoding: text, as: UTF8.self))")
    }
    return findings
  }

  private static func read(_ file: borrowing OwnedDescriptor, _ block: ControlBlock) throws -> Checkpoint {
    try Checkpoint(decoding: try file.read(at: 0, count: Int(block.checkpointExtent.length)))
  }

  @Test func whatNobodyKnowsIsInTheNextCheckpointAndTheOneAfter() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "10"])
      var findings = try Self.handOver(vm) { file, block in
        let old = try Self.read(file, block)
        var writer = CheckpointWriter(machine: old.machine, attempt: old.attempt, capacity: 1 << 16)
        for section in old.sections + Self.unknown { writer.passOn(section) }
        try file.write(writer.bytes, at: 0)
        block.complete(length: UInt64(writer.bytes.count), checksum: Checksum.of(writer.bytes))
        return []
      }
      for round in 1...2 {
        findings += try Self.handOver(vm) { file, block in
          let sections = try Self.read(file, block).sections
          let missing = Self.unknown.filter { !sections.contains($0) }
          return missing.map { "handoff \(round) lacks \($0.name): \(sections.map(\.name))" }
        }
      }
      let advances = try vm.advances()
      if !advances { findings.append("the guest stands still") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
