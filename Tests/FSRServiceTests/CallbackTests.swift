import FSRService
import FSRTestSupport
import Synchronization
import Testing

/// What a lock holds to be called.
@Suite struct CallbackTests {
  private final class Place: Sendable {
    let callback = Mutex<Callback?>(nil)
    let calls = Atomic<Int>(0)

    /// As whoever calls it does: read under the lock, called outside.
    @inline(never) func call() { callback.withLock { $0 }?() }
  }

  /// A bare closure would be called through more frames each time, until there is no stack for them.
  @Test func oneThatIsReadAgainAndAgainIsCalledAsEver() async {
    await #expect(processExitsWith: .success) {
      let place = Place()
      place.callback.withLock { $0 = Callback { [weak place] in place?.calls.add(1, ordering: .relaxed) } }
      for _ in 0..<200_000 { place.call() }
      #expect(place.calls.load(ordering: .relaxed) == 200_000)
    }
  }
}
