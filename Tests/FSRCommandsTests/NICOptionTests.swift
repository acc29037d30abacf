import FSRCommands
import FSRHost
import FSRSystem
import Testing

@Suite struct NICOptionTests {
  @Test func allOfItIsRead() throws {
    let text = "tap=web-0.1_x,mac=02:aB:00:00:00:fe,queues=8,mtu=9000,offloads=on,echo"
    let port = try NICOption(parsing: text).port
    let mac = try #require(MACAddress("02:ab:00:00:00:fe"))
    #expect(
      port == TapPort(tap: "web-0.1_x", mac: mac, queues: 8, mtu: 9000, offloads: .all, consumer: .echo))
  }

  @Test func anAddressIsMadeWhereNoneIsGiven() throws {
    let (one, other) = (try NICOption(parsing: "tap=t").port, try NICOption(parsing: "tap=t").port)
    #expect(one.mac != other.mac && one.mac.bytes[0] & 3 == 2)
    #expect(one.queues == 1 && one.mtu == 0 && one.offloads == [] && one.consumer == .none)
  }

  @Test(arguments: [
    "", ",", "tap", "tap=", "mac=02:00:00:00:00:01", "tap=t,", "tap=t,tap=u", "tap=t,echo,echo",
    "tap=t,echo=on",
    "tap=t,nonsense", "tap=t,nonsense=1", "tap=.", "tap=..", "tap=a b", "tap=a/b", "tap=t%d", "tap=t:1",
    "tap=é", "tap=a\n", "tap=0123456789abcdef", "tap=t,mac", "tap=t,mac=", "tap=t,mac=1",
    "tap=t,mac=02:00:00:00:00",
    "tap=t,mac=02:00:00:00:00:01:02", "tap=t,mac=02:00:00:00:00:1", "tap=t,mac=+2:00:00:00:00:01",
    "tap=t,mac=0g:00:00:00:00:01", "tap=t,mac=02-00-00-00-00-01", "tap=t,mac=01:00:5e:00:00:01",
    "tap=t,mac=ff:ff:ff:ff:ff:ff", "tap=t,mac=00:00:00:00:00:00", "tap=t,queues=0", "tap=t,queues=9",
    "tap=t,queues=-1", "tap=t,queues=+1", "tap=t,queues=99999999999999999999", "tap=t,queues", "tap=t,mtu=67",
    "tap=t,mtu=65522", "tap=t,mtu=1e3", "tap=t,offloads=maybe", "tap=t,offloads",
  ])
  func whatIsNoPortIsRefused(text: String) {
    #expect(throws: ValueError.self) { try NICOption(parsing: text) }
  }
}
