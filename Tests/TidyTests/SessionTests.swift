import Foundation
import Testing

/// A session asks the kernel for nothing but by its world.
@Suite struct SessionTests {
  private static let rooms = ["Source", "Destination", "Coordinator"].map { "Sources/FSRHandoff/\($0)" }
  /// What asks the kernel by a static call, or makes what does.
  private static let calls = [
    "MonotonicClock", "Poller", "ProcessIdentity.", "ProcessDescriptor", "ChildProcess", "UnixSocket.",
    "Memfd",
    "MappedRegion(", "Capabilities", "Environment.", "Host.", "VMLock.attempt", "VMLock.look", "WriterSearch",
    "HandoffError.writers", "OwnedDescriptor.open", "Directory.open", "PIDNamespace.", "isOwn ", "isOwn,",
    "OSThread",
    "SignalNumber", "LinuxWorld(", "BootID.",
  ]

  @Test func noSessionCallsTheKernelByName() throws {
    for room in Self.rooms {
      let files = try SourceTree.files(in: room, endings: ["swift"])
      #expect(!files.isEmpty)
      for file in files {
        for (index, line) in file.lines.enumerated() {
          let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
          for call in Self.calls where code.contains(call) {
            Issue.record("\(file.path):\(index + 1): '\(call)': ask the session's world")
          }
        }
      }
    }
  }
}
