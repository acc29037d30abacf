/// What was typed and waits for room in the guest's console.
struct TypedAhead {
  private var bytes: [UInt8] = []
  private var start = 0

  var count: Int { bytes.count - start }
  var isEmpty: Bool { count == 0 }
  var waiting: ArraySlice<UInt8> { bytes[start...] }

  mutating func append(_ more: ArraySlice<UInt8>) { bytes += more }

  mutating func removeFirst(_ count: Int) {
    start += count
    guard start == bytes.count else { return }
    bytes.removeAll(keepingCapacity: true)
    start = 0
  }
}
