import FSRSystem
import FSRTestSupport
import Testing

/// What is said to a service manager.
@Suite struct NotifySocketTests {
  private static func socket(_ path: String) throws -> NotifySocket {
    try #require(NotifySocket(environment: [Array("A=b".utf8), Array("NOTIFY_SOCKET=\(path)".utf8)]))
  }

  @Test func aFullQueueIsWaitedFor() throws {
    let place = try TemporaryDirectory()
    let path = place.path + "/notify"
    let manager = try DatagramListener(path: path)
    let socket = try Self.socket(path)
    let count = try manager.fill(path: path)
    #expect(count > 0)
    // Given up where that is wanted; otherwise it is there once there is room.
    var tries = 0
    try socket.tell(
      ["READY=1"],
      while: {
        tries += 1
        return tries < 3
      })
    #expect(tries == 3)
    let thread = try OSThread.start(name: "teller") { try? socket.tell(["READY=1", "MAINPID=7"]) }
    var said: [String] = []
    while !said.contains("READY=1\nMAINPID=7"), let one = try manager.next(timeout: 60_000_000_000) {
      said.append(one)
    }
    thread.join()
    #expect(said.count == count + 1 && said.last == "READY=1\nMAINPID=7")
  }

  @Test func nobodyWhoListensIsAnErrorAtOnce() throws {
    let place = try TemporaryDirectory()
    let socket = try Self.socket(place.path + "/none")
    #expect(throws: SystemError.self) { try socket.tell(["READY=1"]) }
  }

  @Test(arguments: ["", "vsock:2:1", "relative"]) func otherAddressesAreForOthers(path: String) {
    #expect(NotifySocket(environment: [Array("NOTIFY_SOCKET=\(path)".utf8)]) == nil)
  }
}
