package import FSRSystem

/// How much of evicted memory is kept compressed: a size, or `off`.
package struct CompressionSize: Equatable, Sendable {
  /// 0 for none.
  package let bytes: UInt64

  package init(parsing text: String) throws(ValueError) {
    bytes = text == "off" ? 0 : try ByteSize(parsing: text).bytes
  }
}
