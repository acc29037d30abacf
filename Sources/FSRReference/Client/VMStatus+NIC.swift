internal import FSRState

extension VMStatus {
  /// A port of the VM's, and what has gone through it since the VM's birth: received is from the tap.
  public struct NIC: Equatable, Sendable {
    public var tap: String
    public var mac: String
    public var mtu: Int
    public var queues: Int
    public var receivedFrames: UInt64
    public var receivedBytes: UInt64
    public var sentFrames: UInt64
    public var sentBytes: UInt64
    public var dropped: UInt64
    /// Why no frames go through it; empty where nothing is wrong.
    public var trouble = ""
  }
}

extension VMStatus.NIC {
  private static let macLimit = 17

  init(_ port: Port, _ counters: PortCounters.Reading, trouble: String) {
    self.init(
      tap: port.tap, mac: "\(port.mac)", mtu: port.mtu, queues: port.queues,
      receivedFrames: counters.receivedFrames, receivedBytes: counters.receivedBytes,
      sentFrames: counters.sentFrames, sentBytes: counters.sentBytes, dropped: counters.dropped,
      trouble: trouble)
  }

  func write(to writer: inout ByteWriter) {
    writer.write(tap)
    writer.write(mac)
    writer.write(UInt32(mtu))
    writer.write(UInt32(queues))
    for value in [receivedFrames, receivedBytes, sentFrames, sentBytes, dropped] { writer.write(value) }
  }

  init(from reader: inout ByteReader) throws(StateError) {
    self.init(
      tap: try reader.readString(limit: Port.nameLimit), mac: try reader.readString(limit: Self.macLimit),
      mtu: Int(try reader.read(UInt32.self)), queues: Int(try reader.read(UInt32.self)),
      receivedFrames: try reader.read(), receivedBytes: try reader.read(), sentFrames: try reader.read(),
      sentBytes: try reader.read(), dropped: try reader.read())
  }
}
