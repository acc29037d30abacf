import FSRSystem
import FSRTestSupport
import Glibc
import Synchronization
import Testing

/// Messages whose descriptors do not all find a place in this process's table: the kernel delivers what does, and says so.
@Suite struct TruncatedMessageTests {
  /// Receives `sent` descriptors with room for `spare`; the errno of what is thrown.
  private static func refusal(sent: Int, spare: Int, timeout: UInt64?) throws -> Int32? {
    let pair = try UnixSocket.pair()
    var bag = DescriptorBag()
    for _ in 0..<sent { bag.append(try OwnedDescriptor.open("/dev/null", .read)) }
    try pair.a.send([1], descriptors: bag)
    var old = rlimit()
    // SAFETY: written by the call alone.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old) == 0 else { throw Absent() }
    var places = 0
    var limit: UInt = 0
    while places < spare || Self.isOpen(limit) {
      if !Self.isOpen(limit) { places += 1 }
      limit += 1
    }
    var low = rlimit(rlim_cur: rlim_t(limit), rlim_max: old.rlim_max)
    // SAFETY: read by the call alone.
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &low) == 0 else { throw Absent() }
    defer { unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &old) }
    do throws(SystemError) {
      let received = try pair.b.receive(limit: 8, maximumDescriptors: 8, timeout: timeout)
      _ = consume received
      return nil
    } catch { return error.errno }
  }

  /// Asked of each number: whoever lists them has some open meanwhile.
  private static func isOpen(_ number: UInt) -> Bool { fcntl(Int32(number), F_GETFD) >= 0 }

  @Test func tooFewFreeNumbersAreSaidAndNoneStaysOpen() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        // Several lack a place: one that the runtime gives back meanwhile makes no difference.
        for (sent, spare) in [(3, 0), (4, 1), (8, 1), (8, 5)] {
          for timeout in [nil, 0, 1_000_000_000] as [UInt64?] {
            let refused = try TruncatedMessageTests.refusal(sent: sent, spare: spare, timeout: timeout)
            #expect(refused == EMFILE, "\(sent) for \(spare)")
          }
        }
        let taken = try TruncatedMessageTests.refusal(sent: 3, spare: 6, timeout: nil)
        #expect(taken == nil)
      }
    }
  }

  private final class OneWayFlag: Sendable { let value = Atomic(false) }

  /// Other threads, the runtime's too, open and close descriptors of their own meanwhile.
  @Test func aPlaceThatBecomesFreeMeanwhileMakesItNoTooLongMessage() async {
    await #expect(processExitsWith: .success) {
      let isOver = OneWayFlag()
      let other = try OSThread.start(name: "other") {
        while !isOver.value.load(ordering: .acquiring) { _ = try? OwnedDescriptor.open("/dev/null", .read) }
      }
      var reasons: Set<Int32?> = []
      for _ in 0..<1000 {
        reasons.insert(try TruncatedMessageTests.refusal(sent: 4, spare: 0, timeout: nil))
      }
      isOver.value.store(true, ordering: .releasing)
      other.join()
      #expect(reasons == [EMFILE])
    }
  }
}
