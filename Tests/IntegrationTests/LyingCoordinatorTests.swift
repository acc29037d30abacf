import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// Whoever is connected to a VM's control socket can end a handoff of its own making, and nothing else.
@Suite(.serialized) struct LyingCoordinatorTests {
  /// One way to lie; what is wrong about what came of it.
  struct Trick: Sendable {
    let name: String
    /// Whether the source is to refuse it.
    var isRefused = true
    let play: @Sendable (LyingCoordinator) throws -> [String]
  }

  private static func block(
    _ name: String, _ change: @escaping @Sendable (inout LyingCoordinator.Lie) throws -> Void
  )
    -> Trick
  {
    Trick(name: name) { liar in
      var lie = LyingCoordinator.Lie()
      try change(&lie)
      let blocks = try liar.blocks()
      let block = try liar.draft(lie, in: blocks)
      let channel = try liar.connect()
      try liar.request(channel, block)
      let said = liar.answers(channel)
      _ = blocks.removeDraft(of: block)
      return isRefusal(said) ? [] : ["it says \(said)"]
    }
  }

  private static func isRefusal(_ said: [Message]) -> Bool {
    if said.count == 1, case .refused = said[0] { return true }
    return false
  }

  /// Sends bytes and descriptors as they are.
  private static func raw(
    _ name: String, _ bytes: [UInt8],
    _ descriptors: @escaping @Sendable () throws -> DescriptorBag = { DescriptorBag() }
  ) -> Trick {
    Trick(name: name) { liar in
      let socket = try UnixSocket.connect(
        in: try liar.folder(), name: VMFiles.socket, timeout: TestVM.timeout)
      try socket.send(bytes, descriptors: try descriptors())
      guard
        let answer = try? socket.receive(
          limit: UnixSocket.messageLimit, maximumDescriptors: 8, timeout: TestVM.timeout),
        case .refused = try? Message(decoding: answer.bytes)
      else {
        return ["it is not refused"]
      }
      return []
    }
  }

  private static func bag(_ count: Int) throws -> DescriptorBag {
    var bag = DescriptorBag()
    for _ in 0..<count { bag.append(try OwnedDescriptor.open("/dev/null", .read)) }
    return bag
  }

  private static let request = Message.request(HandoffRequest())

  private static let blockTricks: [Trick] =
    [
      block("another VM") { $0.machine = MachineIdentity(high: 1, low: 2) },
      block("an attempt that was") { $0.attempt = 1 }, block("attempt 0") { $0.attempt = 0 },
      block("the last attempt of all") { $0.attempt = .max },
      block("an attempt far ahead") { $0.attempt = 1000 },
      block("another generation") { $0.generation = 77 },
      block("the last generation") { $0.generation = .max },
      block("no source") { $0.hasSource = false }, block("itself as the source") { $0.source = .current() },
      block("a destination") { $0.destination = .current() },
      block("endless downtime") { $0.maxDowntime = .max }, block("no end") { $0.deadline = .max },
      block("complete") { $0.isComplete = true },
    ]
    + [ResumeState.destVerify, .source, .resumed, .destination, .successor].map { state in
      block("already \(state)") { $0.state = state }
    }

  private static let rawTricks: [Trick] =
    [
      Message.accepted, .refused(Reason("no")), .manifest, .prepared, .holding,
      .hello(Hello(isSuccessor: true, sections: [], build: "")), .agreed(Agreement(version: 1, build: "")),
    ].map { message in raw("\(message) first", message.encoded) } + [
      raw("a request alone", request.encoded), raw("one byte", [1]), raw("noise", [9, 9, 9, 9, 9, 9]),
      raw("a length that lies", [1, 0, 3, 0, 0xff, 0xff, 0xff, 0x7f]),
      raw("the largest packet", [UInt8](repeating: 1, count: UnixSocket.messageLimit)),
      raw("2 descriptors", request.encoded) { try bag(2) },
      raw("253 descriptors", request.encoded) { try bag(253) },
    ]
    + OddDescriptor.allCases.map { odd in
      raw("\(odd) for a block", request.encoded) {
        let place = try TemporaryDirectory()
        var bag = DescriptorBag()
        bag.append(try odd.make(size: 8192, in: place.directory))
        return bag
      }
    }

  @Test func aRequestThatLiesIsRefusedAndTheGuestRunsOn() async {
    await Self.play(Self.blockTricks + Self.rawTricks + [Self.copiedBlock])
  }

  /// A block that is right in every byte, in a file that is not the VM's.
  private static let copiedBlock = Trick(name: "a copy of a good block") { liar in
    let blocks = try liar.blocks()
    let block = try liar.draft(in: blocks)
    let place = try TemporaryDirectory()
    let copy = try place.directory.openFile("copy", .createNew)
    try copy.write(try block.descriptor.readAll(limit: 1 << 16), at: 0)
    let channel = try liar.connect()
    var bag = DescriptorBag()
    bag.append(copy)
    try channel.send(request, descriptors: bag)
    let said = liar.answers(channel)
    _ = blocks.removeDraft(of: block)
    return isRefusal(said) ? [] : ["it says \(said)"]
  }

  // MARK: after it was accepted

  /// Begins well, and goes on with `lie` once the handoff has begun.
  private static func begun(
    _ name: String, _ lie: @escaping @Sendable (borrowing HandoffLink, ControlBlock) throws -> [String]
  ) -> Trick {
    Trick(name: name, isRefused: false) { liar in
      let blocks = try liar.blocks()
      let block = try liar.draft(in: blocks)
      let findings: [String]
      do {
        let channel = try liar.connect()
        try liar.request(channel, block)
        let said = liar.answers(channel, limit: 1)
        if said != [.accepted] { return ["it says \(said)"] }
        findings = try lie(channel, block)
      }
      let isOver = TestVM.wait { block.state.isDecided && block.time(of: .reported) != 0 }
      return findings + (isOver ? [] : ["the word stays at \(block.state)"])
    }
  }

  private static let laterTricks: [Trick] = [
    begun("it hangs up") { _, _ in [] },
    begun("it holds twice") { channel, _ in
      for _ in 0..<2 { try channel.send(.holding) }
      return []
    },
    begun("it floods") { channel, _ in
      // Until the source hangs up: whoever listened to the end would listen for ever.
      let deadline = MonotonicClock.now() + TestVM.timeout
      while (try? channel.send(.holding)) != nil, MonotonicClock.now() < deadline {}
      return MonotonicClock.now() < deadline ? [] : ["the source listens on"]
    },
    begun("it asks again") { channel, _ in
      try channel.send(request)
      return []
    },
    begun("it sends descriptors") { channel, _ in
      try channel.send(.holding, descriptors: try bag(253))
      return []
    },
    begun("it sends what only others say") { channel, _ in
      try channel.send(.prepared)
      try channel.send(.manifest, descriptors: try bag(8))
      return []
    },
    begun("it never answers") { _, block in
      _ = TestVM.wait { block.state.isDecided }
      return block.state == .resumed ? [] : ["it ended with \(block.state)"]
    },
    begun("it says complete") { channel, block in
      block.complete(length: .max, checksum: 7)
      try channel.send(.holding)
      return []
    },
    begun("it moves the word to destVerify") { _, block in
      _ = block.claim(.destVerify, by: .destination)
      return []
    },
    begun("it wants endless downtime") { channel, block in
      block.maxDowntime = .max
      block.deadline = .max
      for mark in TimelineMark.allCases where mark != .reported {
        block.pass(mark, at: .max - UInt64(mark.rawValue))
      }
      try channel.send(.holding)
      return []
    },
    begun("it names a victim") { channel, block in
      let victim = try Sleeper()
      let isStarted = TestVM.wait { block.time(of: .started) != 0 || block.state != .none }
      block.enroll(.destination, as: victim.identity)
      _ = block.claim(.source, by: .coordinator)
      block.announce()
      _ = TestVM.wait { block.time(of: .reported) != 0 }
      return (isStarted ? [] : ["it does not start"]) + (victim.isAlive ? [] : ["a bystander was killed"])
    },
    begun("it scribbles over the word") { channel, block in
      try channel.scribble(over: block)
      try channel.send(.holding)
      return []
    },
  ]

  @Test func whatACoordinatorDoesLaterEndsItsHandoffAlone() async { await Self.play(Self.laterTricks) }

  // MARK: what must hold

  private static func play(_ tricks: [Trick]) async {
    await Blocking.check { try Self.findings(tricks) }
  }

  private static func findings(_ tricks: [Trick]) throws -> [String] {
    let vm = try TestVM()
    try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "30"])
    let liar = LyingCoordinator(vm: vm)
    var findings: [String] = []
    for trick in tricks {
      let before = try owner(of: vm)
      let count = try settledDescriptors(of: before)
      findings += try trick.play(liar).map { "\(trick.name): \($0)" }
      let isAlone = try TestVM.wait { try vm.machines().count == 1 }
      if !isAlone { findings.append("\(trick.name): VMMs \(try vm.machines())") }
      let after = try owner(of: vm)
      if trick.isRefused, after != before { findings.append("\(trick.name): \(before) became \(after)") }
      // Those of a request are closed when its thread has ended.
      let isClean = try TestVM.wait {
        try after != before || ProcessTable.descriptorCount(of: after) <= count
      }
      if !isClean {
        let now = try ProcessTable.descriptorCount(of: after)
        findings.append("\(trick.name): \(count) descriptors became \(now)")
      }
      if try !vm.advances() { findings.append("\(trick.name): the guest stands still") }
    }
    let errors = try vm.guestErrors()
    if errors != 0 { findings.append("the guest counts errors: \(errors as Any)") }
    let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
    if code != 0 { findings.append("the next handoff: \(answer)") }
    // Older ones are removed by whoever coordinates next, and drafts that nobody took up.
    let names = try vm.blockNames()
    if names.count != 1 { findings.append("blocks \(names)") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }

  private static func owner(of vm: TestVM) throws -> Int32 {
    guard let pid = try vm.newestBlock()?.owner?.pid else { throw Unexpected("nobody owns it") }
    return pid
  }

  /// How many descriptors a VMM has at rest: what an earlier client or handoff had is closed a moment later.
  private static func settledDescriptors(of pid: Int32) throws -> Int {
    var least = try ProcessTable.descriptorCount(of: pid)
    for _ in 0..<20 {
      MonotonicClock.sleep(5_000_000)
      least = min(least, try ProcessTable.descriptorCount(of: pid))
    }
    return least
  }
}

extension HandoffLink {
  /// Writes over the block's resume word, as no claim does.
  func scribble(over block: ControlBlock) throws {
    try block.descriptor.write([0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f], at: 64)
  }
}
