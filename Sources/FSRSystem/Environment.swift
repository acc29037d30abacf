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

  /// All of it, each "NAME=VALUE", to look at: what is no text is repaired in it.
  public static var all: [String] { bytes.map { String(decoding: $0, as: UTF8.self) } }

  /// All of it as it is, each "NAME=VALUE": for other programs.
  public static var bytes: [[UInt8]] {
    var all: [[UInt8]] = []
    // SAFETY: an array of C strings with a null pointer at its end.
    guard var next = unsafe cfsr_environment() else { return [] }
    while let one = unsafe next.pointee {
      unsafe all.append(Array(UnsafeRawBufferPointer(start: one, count: strlen(one))))
      unsafe next += 1
    }
    return all
  }

  /// The value of the variable `name`; nil if there is none. EILSEQ where it is not UTF-8.
  public static func text(of name: String) throws(SystemError) -> String? {
    let prefix = Array("\(name)=".utf8)
    guard let entry = bytes.first(where: { $0.starts(with: prefix) }) else { return nil }
    guard let value = String(validating: entry.dropFirst(prefix.count), as: UTF8.self) else {
      throw SystemError("getenv", on: name, errno: EILSEQ)
    }
    return value
  }
}
