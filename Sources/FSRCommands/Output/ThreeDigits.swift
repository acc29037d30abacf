extension Double {
  /// For people: what was measured, in three digits, since more would be chance. Traps on what is negative or above 2^63.
  package var inThreeDigits: String {
    if self < 9.995 { return decimals(2) }
    if self < 99.95 { return decimals(1) }
    let whole = UInt64(rounded())
    var step: UInt64 = 1
    while whole / step >= 1000 { step *= 10 }
    return "\((whole + step / 2) / step * step)"
  }

  private func decimals(_ count: Int) -> String {
    let scale: UInt64 = count == 2 ? 100 : 10
    let scaled = UInt64((self * Double(scale)).rounded())
    let rest = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: count - rest.count) + rest
  }
}
