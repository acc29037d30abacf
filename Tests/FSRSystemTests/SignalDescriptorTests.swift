import FSRSystem
import Glibc
import Testing

@Suite struct SignalDescriptorTests {
  @Test func aBlockedSignalIsReadInsteadOfEndingTheProcess() async {
    await #expect(processExitsWith: .success) {
      let signals = try SignalDescriptor(signals: [SIGTERM, SIGUSR1])
      let none = try signals.next()
      raise(SIGTERM)
      var poller = Poller()
      poller.watch(signals.descriptor, token: 1)
      let ready = try poller.wait(timeout: nil)
      let first = try signals.next()
      let after = try signals.next()
      #expect(none == nil && ready == [1] && first == SIGTERM && after == nil)
    }
  }

  @Test func aNumberThatIsNoSignalIsRefused() {
    #expect(throws: SystemError.self) { _ = try SignalDescriptor(signals: [1000]) }
  }

  @Test func aBrokenPipeIsAnErrorOnceIgnored() async {
    await #expect(processExitsWith: .success) {
      try SignalAction.ignoreBrokenPipes()
      let pair = try UnixSocket.pair()
      try pair.a.shutdown()
      let failure = refusal { () throws(SystemError) in try pair.a.descriptor.write([1]) }
      #expect(failure == EPIPE)
    }
  }
}
