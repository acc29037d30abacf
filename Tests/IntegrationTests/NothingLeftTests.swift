import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// After every way in which a handoff comes to nothing, the VM is what it was: one look at all of it from outside.
@Suite(.serialized) struct NothingLeftTests {
  /// What the ways leave behind on a VM that runs, together and one by one.
  private static func findings(of ways: [WayToNothing], on vm: TestVM, from before: VMFootprint) throws
    -> [String]
  {
    for way in ways {
      let found = try way.findings(on: vm) + VMFootprint.differences(of: vm, from: before)
      // What one has left, the others would be blamed for too.
      if !found.isEmpty { return found.map { "\(way): \($0)" } }
    }
    return []
  }

  /// Starts a VM, looks at it, goes the ways, and sees that its guest goes on.
  private static func check(_ options: [String], _ ways: [WayToNothing]) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "20"] + options)
      var findings = try findings(of: ways, on: vm, from: try VMFootprint(of: vm))
      if try !vm.advances() { findings.append("the guest stands still") }
      let errors = try vm.guestErrors()
      if errors != 0 { findings.append("the guest counts errors: \(errors as Any)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  @Test func ofAHandoffThatWasHardlyBegun() async { await Self.check([], WayToNothing.early) }

  @Test func ofADestinationThatDied() async { await Self.check([], WayToNothing.deaths) }

  @Test func ofAHandoffThatWasCalledOffLate() async { await Self.check([], WayToNothing.inTheStun) }

  @Test func ofAVMWithAReservation() async {
    await Self.check(
      ["--reserve", "4M"],
      [
        .trial, .refused("handoff", ["--to", "/bin/true"], 4), .aborted("destination:prepare:stop"),
        .aborted("source:stun:stop"), .aborted("source:complete:stop"), .calledOff("destination:verify:kill"),
      ])
  }

  /// What one leaves may be too little to be seen.
  @Test func ofTwentyInARow() async {
    let ways: [WayToNothing] = [
      .trial, .calledOff("destination:verify:kill"), .aborted("source:stun:stop"),
      .calledOff("destination:prepare:kill"),
    ]
    await Self.check([], (0..<20).map { ways[$0 % ways.count] })
  }

  /// One that stands still all the while: its pages, its times and its counts stay too.
  @Test(.enabled(if: hasUserFault())) func ofAPausedGuestWhosePagesAreSwapped() async {
    await Blocking.check {
      let paged = try PagedVM()
      try paged.run(memory: "32M", resident: "8M", ["--compression", "1M"])
      try paged.waitForEvictions(2000)
      _ = try paged.vm.pause()
      var findings = try paged.restFindings()
      let ways: [WayToNothing] = [
        .trial, .refused("handoff", ["--to", "/bin/true"], 4), .aborted("source:stun:stop"),
        .aborted("source:complete:stop"), .calledOff("destination:takeStorage:kill"),
        .calledOff("destination:verify:kill"),
        .calledOff("destination:prepare:kill", ["--swap", "mirrored", "--swap-file", paged.path("next")]),
        .calledOff("destination:verify:kill", ["--swap", "mirrored", "--swap-file", paged.path("next")]),
        .aborted("source:precopy-standing:stop", ["--swap", "mirrored", "--swap-file", paged.path("next")]),
      ]
      findings += try Self.findings(of: ways, on: paged.vm, from: try VMFootprint(of: paged.vm))
      findings += try paged.fileFindings(using: "swap")
      _ = try paged.vm.answer("resume")
      findings += try paged.guestFindings()
      return findings + (try paged.stopped())
    }
  }

  /// The threads that a handoff stops work again afterwards. A guest that looks for what is typed finds it by itself; one
  /// that sleeps is woken.
  @Test(.enabled(if: GuestProgram.isClangThere), arguments: [false, true])
  func whatAHandoffStopsGoesOn(sleeps: Bool) async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let vm = try TestVM()
      let output = place.path + "/console"
      try vm.run([
        "--memory", "16M", "--guest", try EchoGuest.build(in: place, sleeps: sleeps), "--console", output,
      ])
      var said = ""
      func expect(_ more: String, after way: String) throws -> [String] {
        said += more
        let isSaid = try TestVM.wait {
          let bytes = try place.directory.openFile("console", .read).readAll(limit: 1 << 16)
          return String(decoding: bytes, as: UTF8.self) == said
        }
        return isSaid ? [] : ["\(way): the console does not say \(said)"]
      }
      var findings = try expect(String(decoding: EchoGuest.greeting, as: UTF8.self), after: "the start")
      let before = try VMFootprint(of: vm)
      func load() throws -> JSONValue? { try vm.status()["load"] }
      let ways: [WayToNothing] = [
        .trial, .aborted("source:stun:stop"), .calledOff("destination:claimVerify:kill"),
        .interrupted("destination:awaitComplete:stop"),
      ]
      for way in ways where findings.isEmpty {
        findings += try Self.findings(of: [way], on: vm, from: before)
        _ = try vm.type("+")
        findings += try expect("+", after: "\(way)")
      }
      // It looks every five seconds; of a guest that sleeps there is nothing to be seen.
      let last = try load()
      let moves = try sleeps || TestVM.wait { try load() != last }
      if !moves { findings.append("the load averages stand still: \(last as Any)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// A tap's filter holds for all of its queues, a loser's too: frames to others stay out, and are not counted.
  @Test func ofATap() async {
    let result = await TestNetwork.run { () -> [String] in
      let vm = try TestVM()
      try TestNetwork.makeTap("tap0")
      try vm.run(["--memory", "16M", "--nic", "tap=tap0,mac=02:00:00:00:00:01,mtu=1400,echo"])
      try TestNetwork.bringUp("tap0")
      let socket = try TestNetwork.packets(on: "tap0")
      func send(to last: UInt8) throws {
        try socket.write(
          [2, 0, 0, 0, 0, last, 2, 0, 0, 0, 0, 99, 0x88, 0xb5] + [UInt8](repeating: 0, count: 46))
      }
      let before = try VMFootprint(of: vm)
      var due: Double = 0
      var findings: [String] = []
      let ways: [WayToNothing] = [
        .trial, .refused("handoff", ["--to", "/bin/true"], 4), .aborted("destination:prepare:stop"),
        .aborted("destination:awaitComplete:stop"), .calledOff("destination:verify:kill"),
        .aborted("source:stun:stop"),
      ]
      for way in ways where findings.isEmpty {
        findings += try Self.findings(of: [way], on: vm, from: before)
        // Those to another station first: they would be counted by the time that the last one is.
        for last in [7, 7, 1] as [UInt8] { try send(to: last) }
        due += 1
        var nic = JSONValue.null
        let isCounted = try TestVM.wait {
          nic = try vm.status()["nics"]?.elements.first ?? .null
          return nic["rx_frames"]?.number ?? 0 >= due
        }
        if !isCounted || nic["rx_frames"]?.number != due || nic["tx_frames"]?.number != due {
          findings.append("\(way): \(due) frames are due: \(nic)")
        }
      }
      findings += try vm.stopped().map { "left behind: \($0)" }
      // A tap that stays is as it was: whoever has it next sees every frame.
      let queue = try TapQueue.attach("tap0", isMultiQueue: false)
      try queue.setHeaderSize()
      try send(to: 7)
      var buffer = [UInt8](repeating: 0, count: TapQueue.frameLimit)
      let isSeen = try TestVM.wait {
        guard try queue.read(into: &buffer) != nil else { return false }
        return buffer[TapQueue.headerSize + 5] == 7
      }
      if !isSeen { findings.append("the tap keeps frames out") }
      return findings
    }
    switch result {
    case nil: break
    case .success(let findings): for finding in findings { Issue.record("\(finding)") }
    case .failure(let error): Issue.record("\(error)")
    }
  }
}

extension PagedVM {
  /// Waits until the pager of a paused guest has nothing to do any more.
  func restFindings() throws -> [String] {
    var last = JSONValue.null
    var looks = 0
    let rests = try TestVM.wait {
      let now = try status()["memory"] ?? .null
      looks = now == last ? looks + 1 : 0
      last = now
      return looks == 5
    }
    return rests ? [] : ["the pager does not come to rest: \(last)"]
  }
}
