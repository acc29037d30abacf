internal import FSRState

extension VMReport {
  /// A port of the VM's, and what has gone through it since the VM's birth: received is from the tap.
  public struct NIC: Equatable, Sendable {
    public let tap: String
    public let mac: String
    public let mtu: Int
    public let queues: Int
    public let receivedFrames: UInt64
    public let receivedBytes: UInt64
    public let sentFrames: UInt64
    public let sentBytes: UInt64
    public let dropped: UInt64
    /// Why no frames go through it; empty where nothing is wrong.
    public var trouble = ""

    public init(
      tap: String, mac: String, mtu: Int, queues: Int, receivedFrames: UInt64, receivedBytes: UInt64,
      sentFrames: UInt64, sentBytes: UInt64, dropped: UInt64, trouble: String = ""
    ) {
      self.tap = tap
      self.mac = mac
      self.mtu = mtu
      self.queues = queues
      self.receivedFrames = receivedFrames
      self.receivedBytes = receivedBytes
      self.sentFrames = sentFrames
      self.sentBytes = sentBytes
      self.dropped = dropped
      self.trouble = trouble
    }
  }
}

extension VMReport.NIC {
  private static let macLimit = 17

  func write(to writer: inout ByteWriter) {
    writer.write(tap)
    writer.write(mac)
    writer.write(UInt32(mtu))
    writer.write(UInt32(queues))
    for value in [receivedFrames, receivedBytes, sentFrames, sentBytes, dropped] { writer.write(value) }
  }

  init(from reader: inout ByteReader) throws(StateError) {
    self.init(
      tap: try reader.readString(limit: TapPort.nameLimit), mac: try reader.readString(limit: Self.macLimit),
      mtu: Int(try reader.read(UInt32.self)), queues: Int(try reader.read(UInt32.self)),
      receivedFrames: try reader.read(), receivedBytes: try reader.read(), sentFrames: try reader.read(),
      sentBytes: try reader.read(), dropped: try reader.read())
  }
}
