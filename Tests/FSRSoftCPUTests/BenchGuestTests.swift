import FSRGuestSupport
import FSRMachine
import FSRSoftCPU
internal import FSRState
import FSRTestSupport
import Foundation
import Testing

@Suite struct BenchGuestTests {
  /// The words of the lines about kernels.
  private static func kernelLines(_ console: String) -> [[Substring]] {
    console.split(separator: "\n").filter { $0.hasPrefix("fsr-bench 1 kernel ") }.map {
      $0.split(separator: " ")
    }
  }

  private static func run(harts: Int) throws -> (end: GuestEnd?, console: String) {
    let image = BenchGuest.image(harts: harts, work: 1)
    let megabytes = BenchGuest.memory >> 20
    let rig = try GuestRig(image, harts: harts, megabytes: megabytes, clock: HostClock())
    return (rig.runThreads(), rig.console.text)
  }

  @Test(arguments: [1, 2, 5]) func everyKernelComputesWhatIsRightOnEveryHart(harts: Int) throws {
    let (end, console) = try Self.run(harts: harts)
    #expect(end == .passed)
    #expect(
      console.hasPrefix("fsr-bench 1 harts \(harts) work 1\n") && console.hasSuffix("fsr-bench 1 end\n"))
    let lines = Self.kernelLines(console)
    #expect(
      lines.map { "\($0[3]) \($0[5])" }
        == BenchGuest.kernels.flatMap { name in
          (0..<harts).map { "\(name) \($0)" }
        })
    for line in lines {
      #expect(line.suffix(2) == ["right", "1"], "\(line)")
      let (start, end) = (UInt64(line[7]), UInt64(line[9]))
      #expect(try #require(start) <= #require(end))
    }
  }

  @Test func theWorkIsTheSameWheneverAndWhereverItIsDone() throws {
    let counts = try [1, 2, 2].flatMap { harts in
      Self.kernelLines(try Self.run(harts: harts).console).map { "\($0[3]) \($0[11])" }
    }
    #expect(Set(counts).count == BenchGuest.kernels.count, "\(Set(counts).sorted())")
  }

  @Test func theFileHoldsWhatTheGuestIsTold() throws {
    let plain = BenchGuest.image(harts: 1)
    let told = BenchGuest.image(harts: 3, work: 7)
    let differing = plain.indices.filter { plain[$0] != told[$0] }
    #expect(plain.count == told.count && (1...4).contains(differing.count))
  }

  @Test(.enabled(if: GuestProgram.isClangThere)) func theCommittedImageIsWhatItsSourcesGive() throws {
    let guest = CommittedGuest(
      folder: "BenchGuest", script: "bench.ld", sources: ["start.S", "bench.c", "kernels.c"],
      headers: ["kernels.h"], image: "BenchGuestImage.swift")
    let built = try guest.build()
    if try guest.isToBeRenewed(with: built) { return }
    // One hart and the full work is what the sources say.
    #expect(
      built == BenchGuest.image(harts: 1),
      "FSR_UPDATE_SOAK_IMAGE=1 swift test -c release --disable-testable-imports --filter BenchGuestTests")
  }
}
