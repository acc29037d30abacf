import FSRSystem
import FSRTestSupport

/// A VM with the echo guest, and what a test finds wrong with it.
final class ConsoleVM {
  let vm: TestVM
  private let place: Owned<TemporaryDirectory>
  private(set) var findings: [String] = []
  private var isStopped = false

  init(_ options: [String] = []) throws {
    vm = try TestVM()
    place = Owned(try TemporaryDirectory())
    try EchoGuest.run(on: vm, in: place.value, ["--memory", "16M"] + options)
  }

  func expect(_ holds: Bool, _ what: @autoclosure () throws -> String) rethrows {
    if !holds { findings.append(try what()) }
  }

  func handOver() throws {
    let (code, answer) = try vm.answer("handoff", ["--max-downtime", "10s"])
    expect(code == 0, "a handoff ended with \(String(describing: code)): \(answer)")
  }

  /// Ends the VM; nothing of it should be left.
  func stop() throws {
    isStopped = true
    findings += try vm.stopped().map { "left behind: \($0)" }
  }

  /// Waits until `client` has printed `bytes` and nothing else.
  func expectOutput(_ bytes: [UInt8], of client: ConsoleClient, _ what: String) {
    let hasCome = client.waitForOutput(bytes.count)
    let output = client.output
    if hasCome, output == bytes { return }
    let place =
      zip(output, bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? min(output.count, bytes.count)
    func part(_ bytes: [UInt8]) -> String {
      String(decoding: bytes.dropFirst(max(0, place - 20)).prefix(60), as: UTF8.self)
    }
    findings.append(
      "\(what): \(output.count) bytes came for \(bytes.count); from \(place) on '\(part(output))' for '\(part(bytes))'"
    )
  }

  func expectEnd(_ code: Int32, of client: ConsoleClient, _ what: String) throws {
    let status = try client.waitForExit()
    try expect(
      status == .exited(code), "\(what): \(String(describing: status)), saying \(try client.complaints())")
  }

  /// Runs `body` with a VM of its own; answers what was wrong, leftovers included.
  static func findings(_ options: [String] = [], _ body: (ConsoleVM) throws -> Void) -> [String] {
    do {
      let console = try ConsoleVM(options)
      do { try body(console) } catch { console.findings.append("\(error)") }
      if !console.isStopped { try console.stop() }
      return console.findings
    } catch { return ["\(error)"] }
  }
}
