package import FSRMemory
package import FSRState

/// How many pages are where, as a checkpoint carries it: three 64-bit words.
extension PageCounts {
  package func save(to writer: inout ByteWriter) {
    writer.write(resident)
    writer.write(compressed)
    writer.write(swapped)
  }

  package init(from reader: inout ByteReader) throws(StateError) {
    self.init()
    resident = try reader.read()
    compressed = try reader.read()
    swapped = try reader.read()
    guard reader.remaining == 0 else { throw .invalid("page counts", UInt64(reader.remaining)) }
  }
}
