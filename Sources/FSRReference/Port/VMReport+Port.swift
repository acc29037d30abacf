internal import FSRHost

extension VMReport.NIC {
  init(_ port: TapPort, _ counters: PortCounters.Reading, trouble: String) {
    self.init(
      tap: port.tap, mac: "\(port.mac)", mtu: port.mtu, queues: port.queues,
      receivedFrames: counters.receivedFrames, receivedBytes: counters.receivedBytes,
      sentFrames: counters.sentFrames, sentBytes: counters.sentBytes, dropped: counters.dropped,
      trouble: trouble)
  }
}
