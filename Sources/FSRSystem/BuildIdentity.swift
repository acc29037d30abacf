internal import CFSRLinux
internal import Glibc

/// Which build an executable is, wherever it lies: the same bytes give the same answer.
///
/// The GNU build id, when the linker wrote one; else a digest of the whole file. The digest tells builds
/// apart, it does not withstand somebody who makes two files alike on purpose.
public enum BuildIdentity {
  /// Bytes in an executable at most.
  public static let sizeLimit: UInt64 = 1 << 30

  /// The identity of the executable at `path`, in hexadecimal digits.
  ///
  /// EACCES, ENOENT as open says them; EISDIR for a folder, EINVAL for anything else that is no plain file; EFBIG above `sizeLimit`. What is
  /// no ELF, or a broken one, has a digest like any other file.
  public static func ofExecutable(path: String) throws(SystemError) -> String {
    try of(try OwnedDescriptor.openPlainFile(path))
  }

  /// The identity of what the process `pid` runs, also when the file was replaced since. EACCES without the
  /// right to trace it.
  public static func ofExecutable(pid: Int32) throws(SystemError) -> String {
    try ofExecutable(path: "/proc/\(pid)/exe")
  }

  /// The identity of an open executable.
  public static func of(_ file: borrowing OwnedDescriptor) throws(SystemError) -> String {
    let status = try file.status()
    guard status.mode & S_IFMT == S_IFREG else { throw SystemError("fstat", on: file.subject, errno: EINVAL) }
    guard status.size <= sizeLimit else { throw SystemError("fstat", on: file.subject, errno: EFBIG) }
    if let id = try ELFNotes.buildID(of: file) { return hexadecimal(id) }
    var digest = FileDigest()
    var offset: UInt64 = 0
    while offset <= sizeLimit {
      let chunk = try file.read(at: offset, count: 1 << 20)
      digest.add(chunk)
      offset += UInt64(chunk.count)
      if chunk.count < 1 << 20 { break }
    }
    return hexadecimal(digest.finish())
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
