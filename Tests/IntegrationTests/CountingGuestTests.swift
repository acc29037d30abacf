import FSRSystem
import FSRTestSupport
import Testing

/// An ELF that knows nothing of fsr, over handoffs: it checks its memory and tells of it.
@Suite(.serialized) struct CountingGuestTests {
  private static let clang: String? = {
    let found = CountingGuest.clang()
    if found == nil {
      print("SKIPPED: no clang of a Swift toolchain in PATH: the counting guest is not built")
    }
    return found
  }()

  @Test(.enabled(if: clang != nil, "a clang that builds for RISC-V"))
  func aForeignGuestCountsOnOverHandoffs() async throws {
    let clang = try #require(Self.clang)
    await Blocking.check { try Self.findings(clang) }
  }

  private static func lineCount(_ place: borrowing TemporaryDirectory) throws -> Int {
    guard let file = try? place.directory.openFile("console", .read) else { return 0 }
    return try file.readAll(limit: 1 << 26).count { $0 == UInt8(ascii: "\n") }
  }

  private static func findings(_ clang: String) throws -> [String] {
    let place = try TemporaryDirectory()
    let guest = try CountingGuest.build(in: place, with: clang)
    let vm = try TestVM()
    try vm.run([
      "--memory", "16M", "--vcpus", "2", "--guest", guest, "--console", place.path + "/console",
    ])
    var findings: [String] = []
    for index in 1...12 {
      // Every owner writes some of the lines.
      let seen = try lineCount(place)
      let isWriting = try TestVM.wait { try lineCount(place) > seen + 2 }
      if !isWriting { findings.append("the guest says nothing more after \(index - 1) handoffs") }
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 || answer["generation"]?.number != Double(index + 1) {
        findings.append("handoff \(index) ended with \(String(describing: code)): \(answer)")
      }
    }
    let seen = try lineCount(place)
    let isWriting = try TestVM.wait { try lineCount(place) > seen + 2 }
    if !isWriting { findings.append("the guest says nothing more at the end") }
    for left in try vm.stopped() { findings.append("left behind: \(left)") }
    return findings
      + (try ConsoleLines.findings(in: "console", of: place.directory, first: "count ", atLeast: 20))
  }
}
