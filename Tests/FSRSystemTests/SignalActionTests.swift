import FSRSystem
import FSRTestSupport
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

  @Test func aFileThatWouldBeTooLongIsALimit() async {
    await #expect(processExitsWith: .success) {
      try SignalAction.ignoreFileLimit()
      let place = try TemporaryDirectory()
      let file = try place.directory.openFile("file", .createNew)
      var limit = rlimit(rlim_cur: 4096, rlim_max: .max)
      // SAFETY: read by the call alone.
      #expect(unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      var failures: [SystemError] = []
      func attempt(_ body: () throws(SystemError) -> Void) {
        do throws(SystemError) { try body() } catch { failures.append(error) }
      }
      attempt { () throws(SystemError) in _ = try Memfd.create(name: "long", size: 8192) }
      attempt { () throws(SystemError) in try file.write([UInt8](repeating: 1, count: 8192)) }
      attempt { () throws(SystemError) in try file.write([1], at: 8192) }
      attempt { () throws(SystemError) in try file.truncate(to: 8192) }
      attempt { () throws(SystemError) in try file.allocate(at: 0, length: 8192) }
      attempt { () throws(SystemError) in try file.reserveBlocks(at: 0, length: 8192) }
      #expect(failures.count == 6)
      #expect(failures.allSatisfy { $0.shortage == .limit && $0.isFull && "\($0)".contains("ulimit -f") })
    }
  }

  @Test func aSideMatterEndsNoVMM() async {
    await #expect(processExitsWith: .success) {
      try SignalAction.ignoreSideMatters()
      for number in [SIGPIPE, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR] {
        raise(number)
      }
      for number in [SIGTERM, SIGINT, SIGQUIT, SIGSEGV, SIGBUS, SIGABRT] {
        #expect(!SignalAction.isIgnored(number))
      }
    }
  }

  @Test func aNumberThatIsNoSignalIsRefused() {
    #expect(throws: SystemError.self) { try SignalAction.hold([1000]) }
    #expect(!SignalAction.isIgnored(1000))
  }
}
