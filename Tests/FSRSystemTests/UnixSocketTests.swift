import FSRSystem
import FSRTestSupport
import Glibc
import Testing

@Suite struct UnixSocketTests {
  private static func bag(_ count: Int) throws -> DescriptorBag {
    var bag = DescriptorBag()
    for _ in 0..<count { bag.append(try OwnedDescriptor.open("/dev/null", .read)) }
    return bag
  }

  @Test func messagesKeepTheirBoundaries() throws {
    let pair = try UnixSocket.pair()
    try pair.a.send([1, 2, 3])
    try pair.a.send([4])
    let first = try pair.b.receive(limit: 16, maximumDescriptors: 0)?.bytes
    let second = try pair.b.receive(limit: 16, maximumDescriptors: 0)?.bytes
    #expect(first == [1, 2, 3] && second == [4])
  }

  @Test func anyNumberOfDescriptorsTravelsAndIsClosed() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        for count in [0, 1, 2, 3, 7, 64, 252, 253] {
          let pair = try UnixSocket.pair()
          try pair.a.send([9], descriptors: try UnixSocketTests.bag(count))
          var received = try required(pair.b.receive(limit: 1, maximumDescriptors: count))
          #expect(received.descriptors.count == count)
          if count > 0 {
            let last = try required(received.descriptors.take(count - 1))
            let flags = fcntl(last.number, F_GETFD)
            #expect(flags == FD_CLOEXEC)
          }
        }
      }
    }
  }

  @Test func moreDescriptorsThanOneMessageCarriesAreRefused() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        let pair = try UnixSocket.pair()
        let many = try UnixSocketTests.bag(254)
        let refused = refusal { () throws(SystemError) in try pair.a.send([1], descriptors: many) }
        #expect(refused == EINVAL)
      }
    }
  }

  @Test func tooManyDescriptorsAreAllClosed() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        for (sent, wanted) in [(2, 1), (64, 63), (63, 62), (1, 0), (253, 1), (3, 2)] {
          let pair = try UnixSocket.pair()
          try pair.a.send([1], descriptors: try UnixSocketTests.bag(sent))
          let refused = refusal { () throws(SystemError) in
            _ = try pair.b.receive(limit: 8, maximumDescriptors: wanted)
          }
          #expect(refused == EMSGSIZE)
        }
      }
    }
  }

  @Test func tooManyBytesCloseTheDescriptorsToo() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        let pair = try UnixSocket.pair()
        try pair.a.send([UInt8](repeating: 7, count: 100), descriptors: try UnixSocketTests.bag(3))
        let refused = refusal { () throws(SystemError) in
          _ = try pair.b.receive(limit: 16, maximumDescriptors: 3)
        }
        #expect(refused == EMSGSIZE)
      }
    }
  }

  @Test func aMessageOfTheLimitTravelsAndOneByteMoreIsRefused() throws {
    let pair = try UnixSocket.pair()
    let most = [UInt8](repeating: 5, count: UnixSocket.messageLimit)
    try pair.a.send(most)
    let received = try pair.b.receive(limit: UnixSocket.messageLimit, maximumDescriptors: 0)?.bytes
    #expect(received == most)
    let refused = refusal { () throws(SystemError) in try pair.a.send(most + [0]) }
    let empty = refusal { () throws(SystemError) in try pair.a.send([]) }
    #expect(refused == EMSGSIZE && empty == EINVAL)
  }

  @Test(arguments: [0, 1]) func itIsBoundByItsWholePathWhereThatIsShortEnough(depth: Int) throws {
    let place = try TemporaryDirectory(depth: depth)
    let listener = Owned(try UnixSocket.listen(in: place.directory, name: "socket"))
    let known = String(
      decoding: try OwnedDescriptor.open("/proc/net/unix", .read).readAll(limit: 1 << 24), as: UTF8.self)
    #expect(known.contains("\(place.path)/socket") == (depth == 0))
    let found = try place.directory.exists("socket")
    #expect(found)
    let line = Owned(try UnixSocket.connect(in: place.directory, name: "socket"))
    let accepted = try !isAbsent(listener.value.accept())
    #expect(accepted)
    let taken = refusal { () throws(SystemError) in
      _ = try UnixSocket.listen(in: place.directory, name: "socket")
    }
    #expect(taken == EADDRINUSE)
    withExtendedLifetime(line) {}
  }

  @Test func aGonePeerIsTheEndAfterWhatItSaid() throws {
    var pair = try UnixSocket.pair()
    let end = UnixSocket(adopting: try pair.b.descriptor.duplicate())
    try pair.a.send([1])
    try pair.b.send([2])
    pair = try UnixSocket.pair()
    let last = try end.receive(limit: 1, maximumDescriptors: 0)?.bytes
    let gone = try isAbsent(end.receive(limit: 1, maximumDescriptors: 0))
    let refused = refusal { () throws(SystemError) in try end.send([3]) }
    #expect(last == [1] && gone && refused == EPIPE)
  }

  @Test func nothingToReceiveTimesOut() throws {
    let pair = try UnixSocket.pair()
    for timeout: UInt64 in [0, 1_000_000] {
      let deadline = refusal { () throws(SystemError) in
        _ = try pair.b.receive(limit: 1, maximumDescriptors: 0, timeout: timeout)
      }
      #expect(deadline == ETIMEDOUT)
    }
  }

  @Test func aFullPeerTimesOutTheSender() throws {
    let pair = try UnixSocket.pair()
    try pair.a.setSendTimeout(1)
    let block = [UInt8](repeating: 0, count: 65536)
    var failure: Int32?
    for _ in 0..<64 where failure == nil {
      failure = refusal { () throws(SystemError) in try pair.a.send(block) }
    }
    #expect(failure == EAGAIN)
  }

  @Test func shutdownIsSeenByThePeer() throws {
    let pair = try UnixSocket.pair()
    try pair.a.shutdown()
    let gone = try isAbsent(pair.b.receive(limit: 1, maximumDescriptors: 0))
    #expect(gone)
  }

  @Test func theKernelNamesPeerAndSender() throws {
    let pair = try UnixSocket.pair()
    let me = PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid())
    let peer = try pair.a.peer()
    #expect(peer == me)
    try pair.a.send([1])
    let unstamped = try required(pair.b.receive(limit: 1, maximumDescriptors: 0)).sender
    #expect(unstamped == nil)
    try pair.b.passSenderCredentials()
    try pair.a.send([1], descriptors: try UnixSocketTests.bag(1))
    let stamped = try required(pair.b.receive(limit: 1, maximumDescriptors: 1))
    #expect(stamped.sender == me && stamped.descriptors.count == 1)
  }

  @Test func aListenerWorksHoweverLongItsDirectorysPathIs() async {
    await #expect(processExitsWith: .success) {
      try OpenDescriptors.expectNoneLeft {
        let place = try TemporaryDirectory(depth: 3)
        #expect(place.path.utf8.count > 300)
        let listener = try UnixSocket.listen(in: place.directory, name: "control")
        let nobody = try isAbsent(listener.accept())
        #expect(nobody)
        let client = try UnixSocket.connect(in: place.directory, name: "control", timeout: 1_000_000_000)
        let server = try required(listener.accept())
        try client.send([42])
        let bytes = try server.receive(limit: 4, maximumDescriptors: 0)?.bytes
        #expect(bytes == [42])
      }
    }
  }

  @Test func aListenersNameIsPrivateAndNeverStolen() throws {
    let place = try TemporaryDirectory()
    let listener = try UnixSocket.listen(in: place.directory, name: "s")
    let mode = try place.directory.ownership(of: "s").mode
    #expect(mode == 0o600)
    let taken = refusal { () throws(SystemError) in
      _ = try UnixSocket.listen(in: place.directory, name: "s")
    }
    #expect(taken == EADDRINUSE)
    try listener.shutdown()
    let refused = refusal { () throws(SystemError) in
      _ = try UnixSocket.connect(in: place.directory, name: "s")
    }
    let absent = refusal { () throws(SystemError) in
      _ = try UnixSocket.connect(in: place.directory, name: "absent")
    }
    #expect(refused == ECONNREFUSED && absent == ENOENT)
  }

  @Test func aFullBacklogTimesOutTheClient() throws {
    let place = try TemporaryDirectory()
    let listener = try UnixSocket.listen(in: place.directory, name: "s", backlog: 0)
    let first = try UnixSocket.connect(in: place.directory, name: "s", timeout: 1_000_000)
    let deadline = refusal { () throws(SystemError) in
      _ = try UnixSocket.connect(in: place.directory, name: "s", timeout: 1_000_000)
    }
    #expect(deadline == ETIMEDOUT)
    _ = (first.descriptor.number, listener.descriptor.number)
  }

  @Test func aPollerAnswersTheTokensOfWhatIsReady() throws {
    let one = try UnixSocket.pair()
    let two = try UnixSocket.pair()
    var poller = Poller()
    poller.watch(one.a.descriptor, token: 10)
    poller.watch(two.a.descriptor, token: 20)
    let quiet = try poller.wait(timeout: 0)
    try two.b.send([1])
    let second = try poller.wait(timeout: nil)
    try one.b.shutdown()
    let both = try poller.wait(timeout: nil)
    poller.forget(token: 10)
    let left = try poller.wait(timeout: 1000)
    #expect(quiet == [] && second == [20] && both == [10, 20] && left == [20])
  }

  @Test func endsAndPartsOfAMessageGoTheirOwnWays() throws {
    let pair = try UnixSocket.pair()
    let a = pair.a
    let b = pair.b.release()
    try a.send([1], descriptors: try UnixSocketTests.bag(1))
    let received = try required(try UnixSocket(adopting: b).receive(limit: 1, maximumDescriptors: 1))
    let descriptors = received.descriptors
    #expect(descriptors.count == 1)
    let gone = refusal { () throws(SystemError) in try a.send([2]) }
    #expect(gone == EPIPE)
  }
}
