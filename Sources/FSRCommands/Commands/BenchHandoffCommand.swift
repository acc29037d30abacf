internal import ArgumentParser
internal import FSRClient

/// `fsr bench handoff`, which is also `fsr bench`
struct BenchHandoffCommand: AnsweringCommand, Interruptible {
  static let configuration = CommandConfiguration(
    commandName: "handoff",
    abstract: "Measure downtimes against the fastest switch that this machine can do.",
    discussion: """
      Hands a working guest over many times, for every number of vCPUs with every memory size, and between two \
      handoffs measures the floor: how fast two bare processes pass on one turn of as many threads. What this \
      machine's memory cannot hold is skipped, and said.

      Examples:
        fsr bench handoff
        fsr bench handoff --handoffs 100 --vcpus 1 --memory 64M,1T-sparse --json
        fsr bench handoff --handoffs 100 --memory 256M,256M-paged
      """)

  @Option(help: ArgumentHelp("Handoffs of each case.", valueName: "count")) var handoffs = 1000
  @Option(
    help: ArgumentHelp("Numbers of vCPUs, with commas. (default: 1,2)", valueName: "list"),
    transform: BenchCommand.vcpus(parsing:))
  var vcpus = [1, 2]
  @Option(
    help: ArgumentHelp(
      "Sizes with commas, each touched as a whole or '-sparse', and '-paged' in a quarter of that. (default: 64M,8G,1T-sparse)",
      valueName: "list"
    ), transform: BenchMemory.list(parsing:))
  var memory: [BenchMemory]?
  @OptionGroup var output: OutputOptions

  var subject: String? { nil }

  func validate() throws {
    guard handoffs >= 1, handoffs <= 1_000_000 else { throw ValidationError("'--handoffs' is 1 to 1000000") }
  }

  static func blank(name: String?, reason: String) -> BenchAnswer {
    var answer = BenchAnswer()
    answer.reason = reason
    return answer
  }

  func lines(of reply: BenchAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<BenchAnswer> {
    // Before anything else, so that every thread started later leaves the signals to it.
    let interruption = try Interruption()
    let sizes = try memory ?? BenchMemory.list(parsing: "64M,8G,1T-sparse")
    var answer = BenchAnswer()
    for count in vcpus {
      for size in sizes {
        let run = BenchRun(vcpus: count, memory: size, handoffs: handoffs, interruption: interruption)
        do {
          answer.add(try run.perform { Terminal.errors.line("fsr: \($0)") })
        } catch {
          let failure = Failure(error)
          answer.reason = failure.description
          return Outcome(answer, failure)
        }
      }
    }
    let failed = answer.cases.reduce(0) { $0 + $1.failed }
    guard failed > 0 else { return Outcome(answer) }
    answer.reason = "\(failed) handoffs failed; the guest went on in the source"
    return Outcome(answer, Failure(.failed, "\(failed) handoffs failed; the guest went on in the source"))
  }
}
