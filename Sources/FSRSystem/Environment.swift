internal import CFSRLinux
internal import Glibc

/// The environment of this process. C keeps it without a lock, so it is read and changed before the first
/// thread is started.
public enum Environment {
  /// The value of the variable `name`, which is gone afterwards, for this process and its children; nil if
  /// there is none.
  public static func take(_ name: String) -> String? {
    // SAFETY: copied before anything can change it.
    guard let value = unsafe getenv(name) else { return nil }
    defer { unsafe unsetenv(name) }
    return unsafe String(cString: value)
  }

  /// Leaves the variables of `names`, for this process and its children, and no others.
  static func keep(only names: Set<String>) {
    for entry in all {
      let name = String(entry.prefix { $0 != "=" })
      // SAFETY: the C string lives for the call.
      if !names.contains(name) { _ = unsafe name.withCString { unsafe unsetenv($0) } }
    }
  }

  /// All of it, each "NAME=VALUE".
  public static var all: [String] {
    var all: [String] = []
    // SAFETY: an array of C strings with a null pointer at its end.
    guard var next = unsafe cfsr_environment() else { return [] }
    while let one = unsafe next.pointee {
      unsafe all.append(String(cString: one))
      unsafe next += 1
    }
    return all
  }
}
