internal import FSRSystem

extension GuestMemory {
  private static let clearingStretch: UInt64 = 1 << 20

  /// Makes `range` zeros by giving its pages back: they take memory again once touched. For pages that nobody keeps
  /// resident and no pager owns.
  public func giveUp(_ range: Range<UInt64>) {
    let whole = Self.wholePages(in: range)
    // A host that cannot give them back has zeros written.
    guard !whole.isEmpty,
      (try? descriptor.punchHole(at: whole.lowerBound, count: whole.upperBound - whole.lowerBound)) != nil
    else { return zero(range) }
    zero(range.lowerBound..<whole.lowerBound)
    zero(whole.upperBound..<range.upperBound)
  }

  /// Writes zeros to all of `range`.
  public func zero(_ range: Range<UInt64>) {
    if range.isEmpty { return }
    let zeros = [UInt8](
      repeating: 0, count: Int(min(Self.clearingStretch, range.upperBound - range.lowerBound)))
    var offset = range.lowerBound
    while offset < range.upperBound {
      let left = range.upperBound - offset
      copy(left < Self.clearingStretch ? Array(zeros.prefix(Int(left))) : zeros, to: offset)
      offset += min(Self.clearingStretch, left)
    }
  }

  /// The pages of which `range` has all bytes; empty where there are none.
  public static func wholePages(in range: Range<UInt64>) -> Range<UInt64> {
    let start = (range.lowerBound + pageSize - 1) / pageSize * pageSize
    let end = range.upperBound / pageSize * pageSize
    return start < end ? start..<end : start..<start
  }
}
