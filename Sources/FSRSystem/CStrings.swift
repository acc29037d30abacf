/// A NULL-terminated array of C strings, as execve(2) wants it.
@safe struct CStrings: ~Copyable {
  // SAFETY: allocated here with `count` strings and a NULL behind them, freed in deinit alone.
  let base: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [String]) { self.init(bytes: strings.map { Array($0.utf8) }) }

  /// The same of strings that need not be text.
  init(bytes strings: [[UInt8]]) {
    count = strings.count
    // SAFETY: every element of the capacity is set, to a copy with a zero behind it.
    unsafe base = .allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() {
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
      for (place, byte) in string.enumerated() { unsafe copy[place] = CChar(bitPattern: byte) }
      unsafe copy[string.count] = 0
      unsafe base[index] = copy
    }
    unsafe base[strings.count] = nil
  }

  deinit {
    // SAFETY: each string was allocated above, and goes once.
    for index in 0..<count { unsafe base[index]?.deallocate() }
    unsafe base.deallocate()
  }
}
