internal import ArgumentParser
internal import FSRSystem

/// `fsr bench`, which measures: by itself the handoffs.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure handoffs, or the speed of vCPUs.",
    discussion: """
      Without a subcommand it measures handoffs, and takes the options of `fsr bench handoff`.

      Examples:
        fsr bench
        fsr bench --handoffs 100 --vcpus 1 --memory 64M,1T-sparse --json
        fsr bench cpu
      """,
    subcommands: answering.map { $0 as any ParsableCommand.Type },
    defaultSubcommand: BenchHandoffCommand.self)

  static let answering: [any AnsweringCommand.Type] = [BenchHandoffCommand.self, BenchCPUCommand.self]

  static func vcpus(parsing text: String) throws(ValueError) -> [Int] {
    var list: [Int] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let count = Int(part), count >= 1, count <= FloorBoard.threadLimit else {
        throw ValueError("a number of vCPUs is 1 to \(FloorBoard.threadLimit)")
      }
      list.append(count)
    }
    return list
  }
}
