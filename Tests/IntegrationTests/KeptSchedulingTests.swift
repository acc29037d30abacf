import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// How an operator has vCPU threads scheduled, from outside: whatever becomes of a handoff, it stays so.
@Suite(.serialized) struct KeptSchedulingTests {
  /// The threads of the VMM, by name; threads come and go.
  private static func threads(of pid: Int32) throws -> [String: Int32] {
    var found: [String: Int32] = [:]
    for id in try Directory.open("/proc/\(pid)/task").names(limit: 1000).compactMap({ Int32($0) }) {
      guard let file = try? OwnedDescriptor.open("/proc/\(pid)/task/\(id)/comm", .read),
        let bytes = try? file.readAll(limit: 64)
      else { continue }
      found[String(String(decoding: bytes, as: UTF8.self).dropLast())] = id
    }
    return found
  }

  /// Of the threads that a handoff has to do with.
  private static func standings(of pid: Int32) throws -> [String: ThreadStanding] {
    try threads(of: pid).filter { ["vcpu0", "vcpu1", "load", "input", "pager"].contains($0.key) }
      .mapValues { (id) throws(SystemError) in try ThreadStanding.of(id) }
  }

  private static func owner(_ vm: TestVM) throws -> Int32 { Int32(try vm.status()["pid"]?.number ?? 0) }

  /// Has the first hart run on the last processor alone, and the second give way to others.
  private static func arrange(_ pid: Int32) throws -> [String: ThreadStanding] {
    let threads = try threads(of: pid)
    guard let first = threads["vcpu0"], let second = threads["vcpu1"],
      let cpu = try Scheduling.affinity(of: first).cpus.last
    else { throw Unexpected("threads \(threads)") }
    try Scheduling.setAffinity(CPUSet([cpu]), of: first)
    try Scheduling.setBatch(of: first)
    try Scheduling.setBatch(of: second)
    return try standings(of: pid)
  }

  private static func check(_ options: [String], _ body: @escaping @Sendable (TestVM) throws -> [String])
    async
  {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"] + options)
      let pid = try owner(vm)
      let before = try arrange(pid)
      var findings = try body(vm)
      if try owner(vm) != pid { findings.append("the guest is elsewhere") }
      var after: [String: ThreadStanding] = [:]
      let isSo = try TestVM.wait {
        after = try standings(of: pid)
        return after == before
      }
      if !isSo { findings.append("\(before) became \(after)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func aCheckChangesNothing() async {
    await Self.check([]) { vm in
      let (code, answer) = try vm.answer("check")
      return code == 0 ? [] : ["check: \(answer)"]
    }
  }

  /// Called off before the stun, in it, or by the death of the other side.
  @Test(arguments: [
    ("destination:prepare:kill", []), ("destination:claimVerify:kill", ["--max-downtime", "5s"]),
    ("destination:verify:kill", ["--max-downtime", "5s"]), ("destination:prepare:stop", ["--timeout", "1s"]),
    ("destination:awaitComplete:stop", ["--timeout", "1s"]),
    ("destination:verify:stop", ["--max-downtime", "20ms"]),
    ("destination:claimDestination:stop", ["--max-downtime", "20ms"]),
  ]) func aHandoffThatCameToNothingChangesNothing(fault: String, options: [String]) async {
    await Self.check([]) { vm in
      var findings: [String] = []
      for _ in 1...2 {
        let (code, answer) = try vm.answer("handoff", ["--fault", fault] + options)
        if code != 4 { findings.append("\(fault): \(code as Any) \(answer)") }
      }
      return findings
    }
  }

  @Test(.enabled(if: hasUserFault())) func norDoesOneOfAGuestThatIsPaged() async {
    await Blocking.check {
      let place = try TemporaryDirectory(under: "/tmp")
      let swap = place.path + "/swap"
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--resident", "8M", "--swap", swap, "--vcpus", "2", "--duty", "30"])
      let pid = try Self.owner(vm)
      let before = try Self.arrange(pid)
      var findings = before["pager"] == nil ? ["no pager"] : []
      let (code, answer) = try vm.answer(
        "handoff", ["--max-downtime", "5s", "--fault", "destination:verify:kill"])
      if code != 4 { findings.append("handoff: \(answer)") }
      var after: [String: ThreadStanding] = [:]
      let isSo = try TestVM.wait {
        after = try Self.standings(of: pid)
        return after == before
      }
      if !isSo { findings.append("\(before) became \(after)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func anAbortChangesNothing() async {
    await Self.check([]) { vm in
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let handoff = try vm.startHandoff(
        ["--timeout", "60s", "--max-downtime", "60s", "--fault", "destination:verify:stop"], output: output)
      let isStanding = try TestVM.wait { try vm.machines().values.contains(.stopped) }
      let abort = try vm.answer("abort")
      let status = try handoff.ended()
      return isStanding && abort.code == 0 && status == .exited(4) ? [] : ["\(abort), \(status as Any)"]
    }
  }

  /// Over as many handoffs as there are.
  @Test func whatAnOperatorHasArrangedGoesAlong() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"])
      let before = try Self.arrange(try Self.owner(vm))
      var findings: [String] = []
      for index in 1...3 {
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("handoff \(index): \(answer)") }
        let pid = try Self.owner(vm)
        var after: [String: ThreadStanding] = [:]
        let isSo = try TestVM.wait {
          after = try Self.standings(of: pid)
          return after["vcpu0"] == before["vcpu0"] && after["vcpu1"] == before["vcpu1"]
        }
        if !isSo { findings.append("handoff \(index): \(before) became \(after)") }
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
