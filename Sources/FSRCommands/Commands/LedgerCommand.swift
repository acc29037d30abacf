internal import ArgumentParser
internal import FSRClient

/// `fsr ledger`
struct LedgerCommand: AnsweringCommand, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "Show how much memory is reserved, and for whom.",
    discussion: """
      `fsr run --reserve` promises a VM memory that stays resident. The ledger of the runtime folder counts what was \
      promised, and a VM that would go beyond the capacity is refused. A handoff never changes the sum. Records of \
      VMs that are no more are taken out.

      Examples:
        fsr ledger
        fsr ledger --capacity 64G
        fsr ledger --rebuild
      """)

  @Option(
    help: ArgumentHelp(
      "Set how much may be reserved. (default: the memory of the first NUMA node)", valueName: "size"),
    transform: ByteSize.init(parsing:))
  var capacity: ByteSize?
  @Flag(help: "Make a damaged ledger anew from the VMs that run.") var rebuild = false
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { nil }

  /// What is less holds no VM.
  private static let leastCapacity = ByteSize(ByteSize.mebi)

  func validate() throws {
    guard let capacity, capacity.bytes < Self.leastCapacity.bytes else { return }
    throw ValidationError("'--capacity' is at least \(Self.leastCapacity)\(capacity.reading)")
  }

  static func blank(name: String?, reason: String) -> LedgerAnswer { LedgerAnswer(reason: reason) }

  func lines(of reply: LedgerAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<LedgerAnswer> {
    // Nobody has run anything yet where it is not there.
    guard let folder = try capacity == nil ? runtime.openIfThere() : runtime.open(creating: true) else {
      return Outcome(LedgerAnswer(.empty))
    }
    var lost: String?
    if rebuild, try HostLedger.rebuild(in: folder).isCapacityLost, capacity == nil {
      lost = "a capacity that was set could not be read any more: set it again with --capacity"
    }
    var answer = LedgerAnswer(try HostLedger.look(in: folder, capacity: capacity?.bytes))
    answer.reason = lost
    return Outcome(answer)
  }
}
