import FSRReference
import FSRState
import FSRSystem
import Testing

@Suite struct VCPUStandingsTests {
  private static func standing(_ cpus: [Int]) -> ThreadStanding {
    var standing = ThreadStanding(cpus: CPUSet(cpus))
    standing.policy = 3
    standing.flags = 1
    standing.nice = -7
    standing.priority = 2
    standing.runtime = 5
    standing.deadline = 6
    standing.period = 7
    return standing
  }

  @Test func theyComeAsTheyWere() throws {
    for all in [[:], [1: Self.standing([0])], [0: Self.standing([3, 8191]), 3: Self.standing([1])]] {
      let standings = VCPUStandings(all)
      #expect(try VCPUStandings(decoding: standings.encoded, vcpus: 4) == standings)
    }
  }

  @Test func whatNoGuestHasIsRefused() {
    let good = VCPUStandings([0: Self.standing([1]), 2: Self.standing([0, 1])]).encoded
    let bad: [[UInt8]] = [
      Array(good.dropLast()), good + [0], [], [1, 0], [9, 0] + Array(good.dropFirst(2)),
      // No processor, one that there cannot be, and a hart too many.
      VCPUStandings([0: Self.standing([])]).encoded,
      Array(good.prefix(50)) + [0xff, 0xff] + Array(good.dropFirst(52)),
      VCPUStandings([3: Self.standing([0])]).encoded,
    ]
    for bytes in bad {
      #expect(throws: StateError.self) { try VCPUStandings(decoding: bytes, vcpus: 3) }
    }
  }
}
