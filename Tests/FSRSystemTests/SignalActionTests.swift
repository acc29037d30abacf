import FSRSystem
import Glibc
import Testing

@Suite struct SignalActionTests {
  @Test func aHangupThatIsIgnoredEndsNothing() async {
    await #expect(processExitsWith: .success) {
      let before = SignalAction.isIgnored(SIGHUP)
      try SignalAction.ignoreHangups()
      raise(SIGHUP)
      #expect(!before && SignalAction.isIgnored(SIGHUP))
    }
  }

  @Test func aSignalThatIsHeldIsReadLater() async {
    await #expect(processExitsWith: .success) {
      try SignalAction.hold([SIGTERM, SIGHUP])
      raise(SIGHUP)
      let signals = try SignalDescriptor(signals: [SIGTERM, SIGHUP])
      let first = try signals.next()
      #expect(first == SIGHUP)
    }
  }

  @Test func aSignalThatIsLetThroughTakesEffectAtOnce() async {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      try SignalAction.hold([SIGTERM])
      raise(SIGTERM)
      try SignalAction.letThrough([SIGTERM])
    }
  }

  @Test func aNumberThatIsNoSignalIsRefused() {
    #expect(throws: SystemError.self) { try SignalAction.hold([1000]) }
    #expect(!SignalAction.isIgnored(1000))
  }
}
