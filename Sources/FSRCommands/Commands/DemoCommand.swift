internal import ArgumentParser
internal import FSRClient
internal import FSRHost
internal import FSRMachine
internal import FSRSystem

/// `fsr demo`
struct DemoCommand: AnsweringCommand, Interruptible {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Show it: hand a working guest from process to process.",
    discussion: """
      Starts a guest that checks its own memory and measures the gaps in its time, hands it over again and again \
      while it works, and clears up. Needs neither root nor KVM. Ends with 0 only if all went well.

      Examples:
        fsr demo
        fsr demo --memory 4G --vcpus 1 --handoffs 20
      """)

  /// Nanoseconds that one pass of the guest over its memory may take.
  private static let timeout: UInt64 = 120_000_000_000
  /// Of the guest's memory it works in so much, so that a pass takes moments only.
  private static let workingSet = 16 * ByteSize.mebi

  @Option(
    help: ArgumentHelp("The guest's RAM. (default: 256M)", valueName: "size"),
    transform: ByteSize.init(parsing:))
  var memory = ByteSize(256 * ByteSize.mebi)
  @Option(help: ArgumentHelp("vCPUs, 1 to \(VMConfiguration.vcpuLimit).", valueName: "count")) var vcpus = 2
  @Option(help: ArgumentHelp("How many handoffs.", valueName: "count")) var handoffs = 5
  @OptionGroup var output: OutputOptions

  var subject: String? { nil }

  func validate() throws {
    guard memory.bytes >= 2 * DemoCommand.workingSet, memory.bytes <= BoardMap.largestRAM,
      memory.bytes % StatusAnswer.pageSize == 0
    else {
      throw ValidationError(
        "'--memory' is 32M to \(ByteSize(BoardMap.largestRAM)), in whole pages of 4K\(memory.reading)")
    }
    guard vcpus >= 1, vcpus <= VMConfiguration.vcpuLimit else {
      throw ValidationError("'--vcpus' is 1 to \(VMConfiguration.vcpuLimit)")
    }
    guard handoffs >= 1, handoffs <= 1_000_000 else { throw ValidationError("'--handoffs' is 1 to 1000000") }
  }

  static func blank(name: String?, reason: String) -> DemoAnswer {
    var answer = DemoAnswer()
    answer.reason = reason
    return answer
  }

  func lines(of reply: DemoAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<DemoAnswer> {
    // Before anything else, so that every thread started later leaves the signals to it.
    let interruption = try Interruption()
    say("A guest with \(memory) of memory and \(vcpus) vCPUs counts in memory, checks what it wrote, and is")
    say("handed from one process to the next, \(handoffs) times, while it works. Its memory is never copied.")
    var answer = DemoAnswer()
    do {
      try show(&answer, interruption)
    } catch {
      let failure = Failure(error)
      answer.reason = failure.description
      return Outcome(answer, failure)
    }
    answer.ok = answer.after?.errors == 0 && answer.processesLeft == 0 && answer.filesLeft == 0
    if answer.ok { return Outcome(answer) }
    answer.reason = "the guest found errors, or something was left behind"
    let summary = answer.lines.dropFirst().joined(separator: " ")
    return Outcome(answer, Failure(.failed, "the demo failed: \(summary)"))
  }

  private func say(_ line: String) { if !output.json { Terminal.output.line(line) } }

  private func show(_ answer: inout DemoAnswer, _ interruption: Interruption) throws {
    var configuration = VMConfiguration(name: "demo", memory: memory.bytes, vcpus: vcpus, guest: "soak")
    configuration.workingSet = DemoCommand.workingSet
    let vm = try TemporaryVM.start(configuration)
    try wait(for: 1, on: vm, interruption)
    let start = try vm.measure()
    answer.before = DemoAnswer.Guest(start.guest)
    var owners: [ProcessIdentity] = []
    if let first = try ProcessIdentity.of(pid: start.status.pid) { owners.append(first) }
    var from = start.status.pid
    for number in 1...handoffs {
      let handoff = try handOver(vm, from: from, interruption)
      answer.add(handoff)
      from = handoff.toPid
      if let owner = try ProcessIdentity.of(pid: from) { owners.append(owner) }
      say(
        "handoff \(number): process \(handoff.fromPid) → \(handoff.toPid), downtime "
          + "\(handoff.downtimeUs ?? 0) µs, largest gap the guest saw "
          + "\(handoff.guestMaxGapUs.map { "\($0)" } ?? "-") µs")
      // The next one finds a guest that has worked in its new process.
      let passes = try vm.measure().guest.passes
      try wait(for: passes + 1, on: vm, interruption)
    }
    answer.after = DemoAnswer.Guest(try vm.measure().guest)
    answer.filesLeft = try vm.stop().count
    answer.processesLeft = try owners.count { try ProcessDescriptor.open($0) != nil }
  }

  private func wait(for passes: UInt64, on vm: borrowing TemporaryVM, _ interruption: Interruption) throws {
    try vm.wait(forPasses: passes, timeout: DemoCommand.timeout) { _ in try interruption.check() }
  }

  private func handOver(_ vm: borrowing TemporaryVM, from: Int32, _ interruption: Interruption) throws
    -> DemoAnswer.Handoff
  {
    let run = try vm.handOver(interruption)
    if let failure = run.failure(vm: "the guest") { throw failure }
    guard let report = run.report, let owner = run.owner else {
      throw Failure(.failed, "the handoff told nothing of itself")
    }
    return DemoAnswer.Handoff(
      victor: report.victor, generation: report.generation, downtimeUs: report.downtimeMicroseconds,
      guestMaxGapUs: report.guestMaxGapMicroseconds, totalMs: report.totalMilliseconds, fromPid: from,
      toPid: owner)
  }
}

extension DemoAnswer.Guest {
  init(_ guest: VMReport.Guest) {
    self.init(passes: guest.passes, ticks: guest.ticks, errors: guest.errors)
  }
}
