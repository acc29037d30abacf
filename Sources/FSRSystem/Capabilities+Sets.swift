internal import CCap
internal import Glibc

extension Capabilities {
  /// Leaves the calling thread those of `names` that it has, permitted and effective, and nothing else; what it
  /// executes inherits none, unless it is root's. The kernel keeps these sets by thread: said before the process has a
  /// second one, it holds for all that come.
  public static func keepOnly(_ names: [Name]) throws(SystemError) {
    cap_reset_ambient()
    try change { (set) throws(SystemError) in
      var kept: [cap_value_t] = []
      for name in names where try set.isPermitted(name.value) { kept.append(name.value) }
      set.clear()
      for value in kept {
        try set.raise(value, CAP_PERMITTED)
        try set.raise(value, CAP_EFFECTIVE)
      }
    }
  }

  /// Calls `body` while the right is not in effect for the calling thread.
  static func without<R>(_ name: Name, _ body: () -> R) -> R {
    guard (try? has(name)) == true else { return body() }
    try? change { (set) throws(SystemError) in try set.lower(name.value, CAP_EFFECTIVE) }
    defer { try? change { (set) throws(SystemError) in try set.raise(name.value, CAP_EFFECTIVE) } }
    return body()
  }

  /// Calls `body`; what the calling thread executes meanwhile gets what the thread has permitted, also where the user is
  /// not root. Where the kernel does not let it, it gets less.
  public static func passingOn<R: ~Copyable, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    // Root's processes get theirs without it.
    if Host.effectiveUserID == 0 { return try body() }
    try? change { (set) throws(SystemError) in
      for value in 0..<cap_max_bits() where try set.isPermitted(value) {
        try set.raise(value, CAP_INHERITABLE)
      }
    }
    for value in 0..<cap_max_bits() { cap_set_ambient(value, CAP_SET) }
    defer {
      cap_reset_ambient()
      try? change { (set) throws(SystemError) in set.clear(CAP_INHERITABLE) }
    }
    return try body()
  }

  /// Replaces the calling thread's sets by what `body` makes of them.
  private static func change(_ body: (borrowing ThreadSets) throws(SystemError) -> Void) throws(SystemError) {
    let sets = try ThreadSets()
    try body(sets)
    try sets.apply()
  }
}

/// The permitted, effective and inheritable set of the calling thread, as libcap's working copy.
@safe private struct ThreadSets: ~Copyable {
  // SAFETY: libcap allocates the copy; it is freed once, in deinit.
  private let raw: cap_t

  init() throws(SystemError) {
    guard let raw = unsafe cap_get_proc() else { throw SystemError("cap_get_proc", errno: errno) }
    unsafe self.raw = raw
  }

  deinit { _ = unsafe cap_free(UnsafeMutableRawPointer(raw)) }

  func isPermitted(_ value: cap_value_t) throws(SystemError) -> Bool {
    var flag = CAP_CLEAR
    // SAFETY: the copy lives; the flag is written by the call alone.
    guard unsafe cap_get_flag(raw, value, CAP_PERMITTED, &flag) == 0 else {
      throw SystemError("cap_get_flag", on: "\(value)", errno: errno)
    }
    return flag == CAP_SET
  }

  func raise(_ value: cap_value_t, _ set: cap_flag_t) throws(SystemError) { try change(value, set, CAP_SET) }

  func lower(_ value: cap_value_t, _ set: cap_flag_t) throws(SystemError) {
    try change(value, set, CAP_CLEAR)
  }

  private func change(_ value: cap_value_t, _ set: cap_flag_t, _ to: cap_flag_value_t) throws(SystemError) {
    // SAFETY: the copy lives; one value is read.
    guard unsafe cap_set_flag(raw, set, 1, [value], to) == 0 else {
      throw SystemError("cap_set_flag", on: "\(value)", errno: errno)
    }
  }

  /// Clears one set, or all.
  func clear(_ set: cap_flag_t? = nil) {
    // SAFETY: the copy lives.
    if let set { _ = unsafe cap_clear_flag(raw, set) } else { _ = unsafe cap_clear(raw) }
  }

  func apply() throws(SystemError) {
    // SAFETY: the copy lives.
    guard unsafe cap_set_proc(raw) == 0 else { throw SystemError("cap_set_proc", errno: errno) }
  }
}
