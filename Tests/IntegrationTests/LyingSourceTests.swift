import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// A destination whose source lies says why it does not take the guest, ends, and leaves nothing.
@Suite(.serialized) struct LyingSourceTests {
  /// One lie, told to a destination of its own.
  struct Lie: Sendable {
    let name: String
    let tell: @Sendable (LyingSource) throws -> Void
  }

  private static func wait(_ source: LyingSource) throws { _ = try? source.answer() }

  // MARK: hello

  private static func introduction(
    _ name: String, _ make: @escaping @Sendable (LyingSource) throws -> DescriptorBag
  )
    -> Lie
  {
    Lie(name: name) { source in
      try source.send(source.hello(), try make(source))
      try wait(source)
    }
  }

  private static let hellos: [Lie] =
    [
      introduction("no block") { _ in DescriptorBag() },
      introduction("no folder") { source in
        var bag = DescriptorBag()
        bag.append(try source.block.descriptor.duplicate())
        return bag
      },
      introduction("a folder that is on no tmpfs") { source in
        var bag = DescriptorBag()
        bag.append(try source.block.descriptor.duplicate())
        bag.append(try OwnedDescriptor.open("/proc", .read))
        return bag
      },
      introduction("a block that is too short") { source in
        var bag = DescriptorBag()
        let file = try source.place.value.directory.openFile("short", .createNew)
        try file.write(try source.block.descriptor.read(at: 0, count: 4096), at: 0)
        bag.append(file)
        bag.append(try source.place.value.directory.descriptor.duplicate())
        return bag
      },
      introduction("a block whose word is noise") { source in
        var bag = DescriptorBag()
        let file = try source.place.value.directory.openFile("noise", .createNew)
        try file.write(try source.block.descriptor.read(at: 0, count: 8192), at: 0)
        try file.write([UInt8](repeating: 0xff, count: 8), at: 64)
        bag.append(file)
        bag.append(try source.place.value.directory.descriptor.duplicate())
        return bag
      },
      Lie(name: "another message first") { source in
        try source.send(.manifest, try source.introduction())
        try wait(source)
      },
      Lie(name: "hello twice") { source in
        try source.send(source.hello(), try source.introduction())
        try source.send(source.hello(), try source.introduction())
        _ = try source.answer()
        try wait(source)
      },
      Lie(name: "a section that nobody reads") { source in
        try source.send(source.hello([SectionVersion(name: "gpu", version: 1)]), try source.introduction())
        try wait(source)
      },
      Lie(name: "a protocol to come") { source in
        var hello = Hello(isSuccessor: false, sections: [], build: "lies")
        hello.versions = 100...200
        try source.send(.hello(hello), try source.introduction())
        try wait(source)
      },
      Lie(name: "a successor without copies") { source in
        try source.send(
          .hello(Hello(isSuccessor: true, sections: [], build: "")), try source.introduction())
        _ = try source.answer()
        try source.send(.manifest, DescriptorBag())
        try wait(source)
      },
    ]
    + OddDescriptor.allCases.flatMap { odd in
      [true, false].map { isBlock in
        introduction("\(odd) for the \(isBlock ? "block" : "folder")") { source in
          var bag = DescriptorBag()
          let place = TemporaryDirectory.Place(source.place)
          bag.append(isBlock ? try place.odd(odd, size: 8192) : try source.block.descriptor.duplicate())
          if isBlock || odd == .folder {
            // A folder is just what is due in the second place: there a file lies.
            bag.append(isBlock ? try source.introductionFolder() : try place.odd(.file, size: 8192))
          } else {
            bag.append(try place.odd(odd, size: 8192))
          }
          return bag
        }
      }
    }

  @Test func aHelloThatLiesIsRefused() async { await Self.tellAll { _ in Self.hellos } }

  // MARK: manifest

  private static func manifest(
    _ name: String, _ make: @escaping @Sendable (LyingSource) throws -> DescriptorBag
  ) -> Lie {
    Lie(name: name) { source in
      guard try source.introduce() else { throw Unexpected("it does not agree") }
      try source.send(.manifest, try make(source))
      try wait(source)
    }
  }

  private static func edited(_ name: String, _ change: @escaping @Sendable (inout Manifest) -> Void) -> Lie {
    manifest(name) { source in
      var manifest = source.good.manifest
      change(&manifest)
      return try source.descriptors(manifest.encoded)
    }
  }

  private static let manifests: [Lie] =
    ["manifest", "checkpoint", "memory", "console", "listener", "folder", "image"].flatMap { slot in
      OddDescriptor.allCases.compactMap { odd -> Lie? in
        // A folder for the folder is right; a guest's image is read when it is needed, and any file may be one.
        if slot == "folder", odd == .folder { return nil }
        if slot == "image", [.file, .emptyMemory, .writeSealedMemory].contains(odd) { return nil }
        // A checkpoint is read only.
        if slot == "checkpoint", odd == .writeSealedMemory { return nil }
        return manifest("\(odd) for the \(slot)") { source in
          let sizes: [String: UInt64] = [
            "memory": source.good.manifest.memory[0].size, "console": 4096 + 1 << 20,
          ]
          let size = sizes[slot] ?? source.good.manifest.checkpointCapacity
          return try source.descriptors { name, place in name == slot ? try place.odd(odd, size: size) : nil }
        }
      }
    } + [
      manifest("nothing") { _ in DescriptorBag() },
      manifest("its end missing") { source in
        var all = try source.descriptors()
        var some = DescriptorBag()
        for index in 0..<(all.count - 1) { if let one = all.take(index) { some.append(one) } }
        return some
      },
      manifest("one too many") { source in
        var all = try source.descriptors()
        all.append(try OwnedDescriptor.open("/dev/null", .read))
        return all
      },
      manifest("memory too short") { source in
        try source.descriptors { name, _ in
          name == "memory"
            ? try Memfd.create(name: "lies", size: source.good.manifest.memory[0].size - 4096) : nil
        }
      },
      edited("another VM") { $0.machine = MachineIdentity(high: 5, low: 6) },
      edited("a slot that is not there") { $0.memory = [.init(slot: 64, size: 4096, guestAddress: 0)] },
      edited("another slot for memory") {
        $0.memory = [.init(slot: 1, size: $0.memory[0].size, guestAddress: $0.memory[0].guestAddress)]
      },
      edited("a section twice") { $0.sections += $0.sections },
      edited("a slot twice") { $0.slots[1] = $0.slots[0] },
      edited("a name in a slot that is not known") { $0.slots[0] = "other" },
      edited("no sections") { $0.sections = [] },
      edited("a configuration cut short") {
        $0.sections = $0.sections.map {
          StateSection(name: $0.name, version: 1, payload: Array($0.payload.dropLast(3)))
        }
      },
      edited("memory without end") { $0.memory = [.init(slot: 0, size: 1 << 52, guestAddress: 1 << 31)] },
      edited("memory elsewhere") { $0.memory = [.init(slot: 0, size: $0.memory[0].size, guestAddress: 0)] },
      edited("memory twice") { $0.memory += $0.memory },
      edited("a checkpoint without end") { $0.checkpointCapacity = .max },
      edited("another size of checkpoint") { $0.checkpointCapacity += 4096 },
      manifest("noise") { try $0.descriptors([UInt8](repeating: 0x5a, count: 300)) },
      manifest("too much") { try $0.descriptors([UInt8](repeating: 0, count: Manifest.sizeLimit + 1)) },
      Lie(name: "another message for the manifest") { source in
        guard try source.introduce() else { throw Unexpected("it does not agree") }
        try source.send(.holding, try source.descriptors())
        try wait(source)
      },
    ]

  @Test func aManifestThatLiesIsRefused() async { await Self.tellAll { _ in Self.manifests } }

  // MARK: checkpoint

  private static func checkpoint(
    _ name: String, _ make: @escaping @Sendable (LyingSource.Good) throws -> [UInt8]
  )
    -> Lie
  {
    complete(name) { source, memory in try source.complete(try make(source.good), in: memory.value) }
  }

  private static func complete(
    _ name: String, _ say: @escaping @Sendable (LyingSource, Owned<OwnedDescriptor>) throws -> Void
  ) -> Lie {
    Lie(name: name) { source in
      guard try source.introduce() else { throw Unexpected("it does not agree") }
      let memory = Owned(try Memfd.create(name: "lies", size: source.good.manifest.checkpointCapacity))
      let bag = try source.descriptors { name, _ in name == "checkpoint" ? try memory.value.duplicate() : nil
      }
      try source.send(.manifest, bag)
      let said = try source.answer()
      guard said == .prepared else { throw Unexpected("prepared is due, \(said as Any) comes") }
      try say(source, memory)
      _ = source.isSettled()
    }
  }

  private static func sections(_ name: String, _ change: @escaping @Sendable (inout [StateSection]) -> Void)
    -> Lie
  {
    checkpoint(name) { good in
      var sections = try Checkpoint(decoding: good.checkpoint).sections
      change(&sections)
      return LyingSource.Good.encode(sections, machine: good.manifest.machine, attempt: LyingSource.attempt)
    }
  }

  private static let checkpoints: [Lie] = [
    checkpoint("cut short") { Array($0.checkpoint.dropLast(9)) },
    checkpoint("more than there is") { $0.checkpoint + [0] },
    checkpoint("one byte") { _ in [1] },
    checkpoint("noise") { $0.checkpoint.map { $0 ^ 0x55 } },
    checkpoint("sections without end") { good in
      var bytes = good.checkpoint
      bytes.replaceSubrange(28..<32, with: [0xff, 0xff, 0xff, 0xff])
      return bytes
    },
    checkpoint("a section longer than all") { good in
      var bytes = good.checkpoint
      let at = 32 + 1 + Int(bytes[32]) + 3
      bytes.replaceSubrange(at..<(at + 4), with: [0xff, 0xff, 0xff, 0x7f])
      return bytes
    },
    checkpoint("another VM") { good in
      LyingSource.Good.encode(
        try Checkpoint(decoding: good.checkpoint).sections, machine: MachineIdentity(high: 1, low: 1),
        attempt: LyingSource.attempt)
    },
    checkpoint("another attempt") { good in
      LyingSource.Good.encode(
        try Checkpoint(decoding: good.checkpoint).sections, machine: good.manifest.machine,
        attempt: LyingSource.attempt + 1)
    },
    complete("no bytes at all") { source, memory in try source.complete([], in: memory.value) },
    complete("longer than its memory") { source, memory in
      try source.complete(source.good.checkpoint, in: memory.value, length: .max)
    },
    complete("another checksum") { source, memory in
      try source.complete(source.good.checkpoint, in: memory.value, checksum: 1)
    },
    sections("a section twice") { $0 += [$0[0]] },
    sections("a section missing") { $0.removeFirst() },
    sections("no sections") { $0 = [] },
    sections("a needed section that nobody knows") {
      $0.append(StateSection(name: "gpu", version: 1, isNeeded: true, payload: [1]))
    },
    sections("sections of a version to come") {
      $0 = $0.map { StateSection(name: $0.name, version: 900, isNeeded: $0.isNeeded, payload: $0.payload) }
    },
    sections("empty sections") {
      $0 = $0.map { StateSection(name: $0.name, version: $0.version, isNeeded: $0.isNeeded, payload: []) }
    },
    sections("sections of ones") {
      $0 = $0.map {
        StateSection(
          name: $0.name, version: $0.version, isNeeded: $0.isNeeded,
          payload: [UInt8](repeating: 0xff, count: $0.payload.count))
      }
    },
  ]

  @Test func aCheckpointThatLiesIsRefused() async { await Self.tellAll { _ in Self.checkpoints } }

  /// What the lies above are told of is believed where nothing of it is one.
  @Test func theTruthIsBelieved() async {
    await Blocking.check {
      let source = try LyingSource(try LyingSource.Good.capture())
      try Self.complete("the truth") { source, memory in
        try source.complete(source.good.checkpoint, in: memory.value)
      }.tell(source)
      let state = source.block.state
      let (status, said) = try source.end()
      return state == .destination && status == .signaled(SignalNumber.kill) ? [] : ["\(state): \(said)"]
    }
  }

  // MARK: chance

  @Test func accidentsEndTheHandoffOrNothing() async {
    let seed = UInt64.random(in: .min ... .max)
    print("accidents of a source: seed \(seed)")
    await Self.tellAll(mayBeBelieved: true) { good in
      var random = SeededGenerator(seed: seed)
      return (0..<60).map { Self.accident($0, good, &random) }
    }
  }

  private static func accident(_ number: Int, _ good: LyingSource.Good, _ random: inout SeededGenerator)
    -> Lie
  {
    let kind = Int.random(in: 0..<3, using: &random)
    var chance = random
    _ = random.next()
    switch kind {
    case 0:
      let bytes = chance.mutate(Message.hello(Hello(isSuccessor: false, sections: [], build: "x")).encoded)
      return Lie(name: "accident \(number) with hello") { source in
        guard let message = try? Message(decoding: bytes) else { return }
        try source.send(message, try source.introduction())
        guard case .agreed = try? source.answer() else { return }
        try source.send(.manifest, DescriptorBag())
        try wait(source)
      }
    case 1:
      let bytes = chance.mutate(good.manifest.encoded)
      return manifest("accident \(number) with the manifest") { try $0.descriptors(bytes) }
    default:
      let bytes = chance.mutate(good.checkpoint)
      return checkpoint("accident \(number) with the checkpoint") { _ in bytes }
    }
  }

  // MARK: what must hold

  private static func tellAll(
    mayBeBelieved: Bool = false, _ lies: @escaping @Sendable (LyingSource.Good) -> [Lie]
  ) async {
    await Blocking.check {
      let good = try LyingSource.Good.capture()
      return try lies(good).flatMap { lie in try Self.findings(lie, good, mayBeBelieved) }
    }
  }

  private static func findings(_ lie: Lie, _ good: LyingSource.Good, _ mayBeBelieved: Bool) throws -> [String]
  {
    let source = try LyingSource(good)
    var findings: [String] = []
    do { try lie.tell(source) } catch { findings.append("\(error)") }
    let isBelieved = source.block.state == .destination
    let (status, said) = try source.end()
    if mayBeBelieved {
      let isHarmless =
        status == .exited(1) || status == .exited(0) || isBelieved && status == .signaled(SignalNumber.kill)
      if !isHarmless { findings.append("it ended with \(status as Any): \(said)") }
    } else {
      if status != .exited(1) { findings.append("it ended with \(status as Any): \(said)") }
      if isBelieved { findings.append("it was believed") }
      if said.split(separator: "\n").count != 1 || !said.contains(" error ") {
        findings.append("it said: \(said)")
      }
    }
    findings += try source.remains()
    return findings.map { "\(lie.name): \($0)" }
  }
}

extension LyingSource {
  func introductionFolder() throws -> OwnedDescriptor { try place.value.directory.descriptor.duplicate() }
}
