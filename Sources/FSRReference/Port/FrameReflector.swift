package import FSRHost
internal import FSRSystem

/// What a port does with a frame, by its bytes alone.
package enum FrameReflector {
  private static let destination = TapQueue.headerSize
  private static let source = TapQueue.headerSize + MACAddress.size

  /// Makes the header and frame in the first `count` bytes the answer to itself: its addresses swapped, all else as it
  /// came. False where it is not answered: it is for a group or for another station, or cut short.
  package static func reflect(_ buffer: inout [UInt8], count: Int, for address: MACAddress) -> Bool {
    guard count >= TapQueue.headerSize + TapQueue.ethernetSize, count <= buffer.count else { return false }
    for index in 0..<MACAddress.size where buffer[destination + index] != address.bytes[index] {
      return false
    }
    for index in 0..<MACAddress.size { buffer.swapAt(destination + index, source + index) }
    return true
  }
}
