import FSRSystem
import FSRTestSupport
import Glibc
import Testing

/// Ports on taps: frames are sent all the while, and each is answered once, whatever happens to the VM.
@Suite(.serialized) struct TapPortTests {
  private static func check(_ body: @escaping @Sendable () throws -> [String]) async {
    switch await TestNetwork.run(body) {
    case nil: break
    case .success(let findings): for finding in findings { Issue.record("\(finding)") }
    case .failure(let error): Issue.record("\(error)")
    }
  }

  /// A VM with an echoing port on `tap0`, and another that drops.
  private static func start(_ vm: TestVM, queues: Int = 1) throws {
    try vm.run([
      "--memory", "16M", "--vcpus", "2", "--duty", "20",
      "--nic", "tap=tap0,mac=02:00:00:00:00:01,queues=\(queues),mtu=1400,echo", "--nic",
      "tap=tap1,offloads=on",
    ])
    for tap in ["tap0", "tap1"] { try TestNetwork.bringUp(tap) }
  }

  private static func nic(_ index: Int, of vm: TestVM) throws -> JSONValue {
    var found: JSONValue?
    _ = try TestVM.wait {
      found = try vm.answer("status").value["nics"]?.elements.dropFirst(index).first
      return found != nil
    }
    return found ?? .null
  }

  /// Lets some more frames go through.
  private static func flow(_ traffic: FrameTraffic, _ count: Int = 50) -> Bool {
    let due = traffic.answered + count
    return TestVM.wait { traffic.answered >= due }
  }

  /// Ends the traffic and the VM: what was wrong, counters among it.
  private static func end(_ vm: TestVM, _ traffic: FrameTraffic) throws -> [String] {
    let isFlowing = flow(traffic)
    var (sent, findings) = traffic.finish()
    if !isFlowing { findings.append("nothing is answered any more") }
    let nic = try nic(0, of: vm)
    for key in ["rx_frames", "tx_frames"] where nic[key]?.number != Double(sent) {
      findings.append("\(sent) frames, but \(key) in \(nic)")
    }
    if nic["dropped"]?.number != 0 || nic["rx_bytes"] != nic["tx_bytes"] { findings.append("\(nic)") }
    if nic["mtu"]?.number != 1400 { findings.append("the MTU in \(nic)") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }

  @Test(arguments: [1, 4]) func handoffsLoseNoFrameAndDoubleNone(queues: Int) async {
    await Self.check {
      let vm = try TestVM()
      try Self.start(vm, queues: queues)
      let traffic = try FrameTraffic(on: "tap0")
      var findings: [String] = []
      for index in 1...24 {
        // Every fourth is called off in the stun: the destination dies there.
        let isCalledOff = index % 4 == 0
        let fault = isCalledOff ? ["--fault", "destination:verify:kill"] : []
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"] + fault)
        if code != (isCalledOff ? 4 : 0) { findings.append("handoff \(index): \(answer)") }
        if !Self.flow(traffic) { findings.append("nothing is answered after handoff \(index)") }
        if findings.count > 5 { break }
      }
      return try findings + Self.end(vm, traffic)
    }
  }

  @Test func anAbortedHandoffLosesNoFrame() async {
    await Self.check {
      let vm = try TestVM()
      try Self.start(vm)
      let traffic = try FrameTraffic(on: "tap0")
      var findings: [String] = []
      let place = try TemporaryDirectory()
      for step in ["prepare", "verify"] {
        let output = try place.directory.openFile(step, .append)
        let handoff = try vm.startHandoff(
          ["--timeout", "60s", "--max-downtime", "60s", "--fault", "destination:\(step):stop"], output: output
        )
        let isStanding = try TestVM.wait { try vm.machines().values.contains(.stopped) }
        if !isStanding { findings.append("nobody stands at \(step)") }
        let abort = try vm.answer("abort")
        if abort.code != 0 { findings.append("abort at \(step): \(abort)") }
        let status = try handoff.ended()
        if status != .exited(4) { findings.append("handoff at \(step): \(status as Any)") }
        if !Self.flow(traffic) { findings.append("nothing is answered after \(step)") }
      }
      return try findings + Self.end(vm, traffic)
    }
  }

  @Test func aSuccessorHasThePortsToo() async {
    await Self.check {
      let vm = try TestVM()
      try Self.start(vm, queues: 2)
      let traffic = try FrameTraffic(on: "tap0")
      var findings: [String] = []
      let (code, answer) = try vm.answer(
        "handoff", ["--max-downtime", "5s", "--fault", "source:race:kill,destination:verify:kill"])
      if code != 0 || answer["victor"]?.text != "successor" { findings.append("handoff: \(answer)") }
      // And what it has it hands over.
      let next = try vm.answer("handoff", ["--max-downtime", "5s"])
      if next.code != 0 { findings.append("after it: \(next)") }
      return try findings + Self.end(vm, traffic)
    }
  }

  @Test func withoutEchoFramesAreCountedAndDropped() async {
    await Self.check {
      let vm = try TestVM()
      try Self.start(vm)
      let mac = try Self.nic(1, of: vm)["mac"]?.text ?? ""
      let address = mac.split(separator: ":").compactMap { UInt8($0, radix: 16) }
      let socket = try TestNetwork.packets(on: "tap1")
      func send(to station: [UInt8], _ count: Int) throws {
        for _ in 0..<count {
          try socket.write(station + [2, 0, 0, 0, 0, 99, 0x88, 0xb5] + [UInt8](repeating: 0, count: 46))
        }
      }
      var findings: [String] = []
      func expect(_ frames: Double) throws {
        var nic = JSONValue.null
        let isSo = try TestVM.wait {
          nic = try Self.nic(1, of: vm)
          return nic["rx_frames"]?.number == frames
        }
        if !isSo || nic["dropped"]?.number != frames || nic["rx_bytes"]?.number != frames * 60
          || nic["tx_frames"]?.number != 0 || nic["mac"]?.text != mac
        {
          findings.append("\(frames) frames are due: \(nic)")
        }
      }
      // One for another station is kept out before it is counted; those to a group and to all are not.
      try send(to: [2, 0, 0, 0, 0, 7], 3)
      try send(to: address, 5)
      try send(to: [1, 0, 0x5e, 0, 0, 1], 2)
      try send(to: [255, 255, 255, 255, 255, 255], 1)
      try expect(8)
      let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
      if handoff.code != 0 { findings.append("\(handoff)") }
      try expect(8)
      try send(to: [2, 0, 0, 0, 0, 7], 3)
      try send(to: address, 4)
      try expect(12)
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func whatIsNotToBeHadIsRefused() async {
    await Self.check {
      try TestNetwork.makeTap("mine")
      try TestNetwork.makeTap("many", isMultiQueue: true)
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--nic", "tap=mine", "--nic", "tap=many,queues=2"])
      let other = try TestVM()
      var findings: [String] = []
      for (nic, word) in [
        ("tap=mine", "another process"), ("tap=lo", "not as asked for"),
        ("tap=mine,queues=2", "not as asked for"),
        ("tap=many", "not as asked for"), ("tap=many,queues=2", "another process"),
      ] {
        let result = try other.fsr(["run", other.name, "--memory", "16M", "--nic", nic])
        if result.code != 3 || result.errorLines.count != 1 || !result.errors.contains(word) {
          findings.append("\(nic): \(result)")
        }
        findings += try other.remains().map { "\(nic) leaves \($0)" }
      }
      let handoff = try vm.answer("handoff", ["--max-downtime", "5s"])
      if handoff.code != 0 { findings.append("\(handoff)") }
      findings += try vm.stopped().map { "left behind: \($0)" }
      // A tap that stays is as it was, for whoever comes next.
      try other.run(["--memory", "16M", "--nic", "tap=mine", "--nic", "tap=many,queues=3"])
      return findings + (try other.stopped().map { "left behind: \($0)" })
    }
  }

  /// How a tap that stays is set, and its MTU.
  private static func look(_ tap: String) throws -> (TapSettings, Int) {
    var found: TapSettings?
    // Of a process that was killed the queue goes a moment after all that can be seen of it.
    _ = try TestVM.wait {
      do throws(SystemError) { found = try TapQueue.attach(tap, isMultiQueue: false).settings() } catch {
        if error.errno != EBUSY { throw error }
      }
      return found != nil
    }
    guard let found else { throw Unexpected("\(tap) stays busy") }
    return (found, try NetworkInterface.mtu(of: tap))
  }

  /// Whoever ends the VM, and after handoffs too.
  @Test(arguments: [
    "stopped", "ended by a signal", "handed over", "called off", "killed", "killed, and another started",
  ])
  func aTapThatStaysIsGivenBackAsItWas(after course: String) async {
    await Self.check {
      let vm = try TestVM()
      try TestNetwork.makeTap("kept")
      let before = try Self.look("kept")
      let nic = ["--nic", "tap=kept,mtu=1280,echo"]
      try vm.run(["--memory", "16M", "--duty", "20"] + nic)
      var findings: [String] = []
      if try NetworkInterface.mtu(of: "kept") != 1280 { findings.append("the MTU was not set") }
      switch course {
      case "handed over", "called off":
        let isCalledOff = course == "called off"
        let fault = isCalledOff ? ["--fault", "destination:verify:kill"] : []
        for _ in 1...2 {
          let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"] + fault)
          if code != (isCalledOff ? 4 : 0) { findings.append("\(answer)") }
        }
      case "killed", "killed, and another started", "ended by a signal":
        let isInOrder = course == "ended by a signal"
        for pid in try vm.machines().keys {
          let signal = isInOrder ? SignalNumber.terminate : SignalNumber.kill
          try ProcessTable.signal(signal, pid: pid, of: vm.name)
        }
        if try !TestVM.wait(until: { try vm.machines().isEmpty }) { findings.append("it lives") }
      default: break
      }
      if course.hasSuffix("started") {
        // In the same runtime folder, under another name.
        let other = vm.name + "-b"
        let run = try vm.fsr(["run", other, "--memory", "16M", "--duty", "20", "--nic", "tap=kept"])
        let stop = try vm.fsr(["stop", other])
        if run.code != 0 || stop.code != 0 { findings.append("\(run), \(stop)") }
        let after = try Self.look("kept")
        if after != before { findings.append("after the other \(after) for \(before)") }
      }
      // Nobody clears up behind one that a signal ends, and it has not the right to set an MTU.
      let isAlone = course == "ended by a signal"
      findings += try (isAlone ? vm.remains() : vm.stopped()).map { "left behind: \($0)" }
      let after = try Self.look("kept")
      if after.0 != before.0 || !isAlone && after.1 != before.1 {
        findings.append("\(after) for \(before)")
      }
      return findings
    }
  }

  @Test func aTapThatIsRemovedHoldsNobodyUp() async {
    await Self.check {
      let vm = try TestVM()
      try TestNetwork.makeTap("gone")
      try vm.run(["--memory", "16M", "--nic", "tap=gone,echo"])
      var findings: [String] = []
      let well = try vm.answer("check").value
      if well["troubles"] != .list([]) { findings.append("before: \(well)") }
      try TestNetwork.remove("gone")
      func look(_ when: String) throws {
        let isSaid = try TestVM.wait { try Self.nic(0, of: vm)["trouble"]?.text?.contains("removed") == true }
        let list = try vm.fsr(["list"]).output
        let status = try vm.fsr(["status", vm.name]).output
        let check = try vm.answer("check")
        if !isSaid || !list.contains("trouble") || !status.contains("trouble     port gone")
          || check.code != 0
          || check.value["troubles"]?.elements.count != 1
        {
          findings.append("\(when): \(list) \(status) \(check)")
        }
      }
      try look("at first")
      // Made anew it is another one, and stays so.
      try TestNetwork.makeTap("gone")
      for _ in 1...2 {
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
        if code != 0 { findings.append("\(answer)") }
      }
      try look("after handoffs")
      let advances = try vm.advances()
      if !advances { findings.append("the guest stands still") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
