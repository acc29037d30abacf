internal import Glibc

/// A NULL-terminated array of C strings, as execve(2) wants it.
@safe struct CStrings: ~Copyable {
  // SAFETY: allocated here with `count` strings and a NULL behind them, freed in deinit alone.
  let base: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [String]) {
    count = strings.count
    // SAFETY: every element of the capacity is set.
    unsafe base = .allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { unsafe base[index] = strdup(string) }
    unsafe base[strings.count] = nil
  }

  deinit {
    // SAFETY: each string was made by strdup, and goes once.
    for index in 0..<count { unsafe free(base[index]) }
    unsafe base.deallocate()
  }
}
