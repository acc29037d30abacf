internal import ArgumentParser
internal import FSRClient
internal import FSRMachine
internal import FSRSystem

/// `fsr bench cpu`
struct BenchCPUCommand: AnsweringCommand, Interruptible {
  static let configuration = CommandConfiguration(
    commandName: "cpu", abstract: "Measure how fast vCPUs run compiled code, beside QEMU.",
    discussion: """
      Runs a guest with kernels of ordinary compiled code, the same work on every vCPU, all of them at once, and \
      reads how long each took by the guest's own time. QEMU's TCG runs the very same file, where it is \
      installed. Of every kernel the best of a few runs counts.

      Examples:
        fsr bench cpu
        fsr bench cpu --vcpus 1,2,4 --repeats 5 --json
      """)

  @Option(
    help: ArgumentHelp("Numbers of vCPUs, with commas. (default: 1 and the processors)", valueName: "list"),
    transform: BenchCommand.vcpus(parsing:))
  var vcpus: [Int]?
  @Option(help: ArgumentHelp("Runs of each, 1 to 1000.", valueName: "count")) var repeats = 3
  @Option(
    help: ArgumentHelp(
      "The QEMU to compare with. (default: qemu-system-riscv64 in PATH)", valueName: "path"),
    completion: .file())
  var qemu: String?
  @Option(
    help: ArgumentHelp("Thousandths of the full work.", valueName: "count", visibility: .hidden))
  var work = BenchGuest.fullWork
  @OptionGroup var output: OutputOptions

  var subject: String? { nil }

  func validate() throws {
    guard repeats >= 1, repeats <= 1000 else { throw ValidationError("'--repeats' is 1 to 1000") }
    guard work >= 1, work <= BenchGuest.workLimit else {
      throw ValidationError("'--work' is 1 to \(BenchGuest.workLimit)")
    }
  }

  static func blank(name: String?, reason: String) -> BenchCPUAnswer {
    var answer = BenchCPUAnswer()
    answer.reason = reason
    return answer
  }

  func lines(of reply: BenchCPUAnswer) -> [String] { reply.lines }

  func perform() throws -> Outcome<BenchCPUAnswer> {
    // Before anything else, so that every thread started later leaves the signals to it.
    let interruption = try Interruption()
    let processors = try Scheduling.affinity(of: 0).count
    var answer = BenchCPUAnswer()
    answer.processors = processors
    answer.repeats = repeats
    answer.work = work
    let reference = try findQEMU(&answer, interruption)
    for count in vcpus ?? defaultCounts(processors) {
      let run = CPUBenchRun(
        vcpus: count, work: work, repeats: repeats, qemu: reference, interruption: interruption)
      do {
        answer.add(try run.perform { Terminal.errors.line("fsr: \($0)") })
      } catch {
        let failure = Failure(error)
        answer.reason = failure.description
        return Outcome(answer, failure)
      }
    }
    return Outcome(answer)
  }

  private func defaultCounts(_ processors: Int) -> [Int] {
    processors > 1 ? [1, min(processors, BoardMap.hartLimit)] : [1]
  }

  /// One that was named must be there; without one in PATH the answer says so.
  private func findQEMU(_ answer: inout BenchCPUAnswer, _ interruption: Interruption) throws -> QEMU? {
    do {
      let found = try QEMU.find(qemu, interruption)
      answer.qemu.path = found.path
      answer.qemu.version = found.version
      return found
    } catch {
      try interruption.check()
      guard qemu == nil else { throw error }
      let reason = Failure(error).description
      answer.qemu.missing = reason
      Terminal.errors.line("fsr: no QEMU to compare with: \(reason)")
      return nil
    }
  }
}
