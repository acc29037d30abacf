internal import CFSRLinux
internal import Glibc

extension OwnedDescriptor {
  /// Opens the file at `path`, close-on-exec, made with mode 0600 where `mode` makes it; symbolic links are
  /// followed.
  public static func open(_ path: String, _ mode: FileMode) throws(SystemError) -> OwnedDescriptor {
    try open(path, flags: mode.flags)
  }

  /// Opens the plain file at `path` for reading; anything else is refused, a folder with EISDIR, a pipe or a
  /// device with EINVAL, and not waited for.
  public static func openPlainFile(_ path: String) throws(SystemError) -> OwnedDescriptor {
    let file = try open(path, flags: O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    switch try file.status().mode & S_IFMT {
    case S_IFREG: return file
    case S_IFDIR: throw SystemError("openat", on: path, errno: EISDIR)
    default: throw SystemError("openat", on: "\(path), which is no plain file", errno: EINVAL)
    }
  }

  static func open(_ path: String, flags: Int32) throws(SystemError) -> OwnedDescriptor {
    try LeafName.check(path: path, "openat")
    // SAFETY: the C string lives for the call.
    let raw = unsafe path.withCString { unsafe cfsr_open(CFSR_WORKING_DIRECTORY, $0, flags, 0o600) }
    return OwnedDescriptor(adopting: try check(raw, "openat", on: path))
  }

  func status() throws(SystemError) -> cfsr_status {
    var status = cfsr_status()
    // SAFETY: written by the call alone.
    try check(unsafe cfsr_status(raw, &status), "fstat", on: subject)
    return status
  }

  var subject: String { "descriptor \(raw)" }

  /// Whether both are open on the same file.
  public func isSameFile(as other: borrowing OwnedDescriptor) throws(SystemError) -> Bool {
    let (mine, theirs) = (try status(), try other.status())
    return mine.device == theirs.device && mine.inode == theirs.inode
  }

  /// Whether it is a plain file's, a memfd's among them: no folder, pipe, socket or device.
  public func isPlainFile() throws(SystemError) -> Bool { try status().mode & S_IFMT == S_IFREG }

  /// Bytes in the file.
  public func size() throws(SystemError) -> UInt64 { try status().size }

  /// Up to `count` bytes from `offset`; fewer only at the end of the file.
  public func read(at offset: UInt64, count: Int) throws(SystemError) -> [UInt8] {
    precondition(count >= 0, "a count is not negative")
    guard offset <= UInt64(Int64.max) - UInt64(count) else {
      throw SystemError("pread", on: subject, errno: EINVAL)
    }
    var failure: Int64 = 0
    // SAFETY: the kernel writes at most what is left of the capacity and answers how much it wrote.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, written in
      while written < count {
        let answer = unsafe cfsr_read_at(
          raw, target.baseAddress! + written, count - written, offset + UInt64(written))
        failure = min(answer, 0)
        if answer <= 0 { break }
        written += Int(answer)
      }
    }
    try check(failure, "pread", on: subject)
    return bytes
  }

  /// The whole file from its start; EFBIG when it is longer than `limit` bytes. Works for files of /proc too,
  /// which say that they are empty.
  public func readAll(limit: Int) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      let chunk = min(limit + 1 - bytes.count, 65536)
      let part = try read(at: UInt64(bytes.count), count: chunk)
      bytes += part
      if bytes.count > limit { throw SystemError("pread", on: "more than \(limit) bytes", errno: EFBIG) }
      if part.count < chunk { return bytes }
    }
  }

  /// Up to `limit` bytes from the current position, what one read(2) gives: for pipes and terminals. Empty at
  /// the end; EAGAIN when a non-blocking descriptor has nothing.
  public func read(limit: Int) throws(SystemError) -> [UInt8] {
    precondition(limit > 0, "room for something")
    var answer: Int64 = 0
    // SAFETY: the kernel writes at most the capacity and answers how much it wrote.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { target, written in
      unsafe answer = cfsr_read(raw, target.baseAddress!, limit)
      written = max(0, Int(answer))
    }
    try check(answer, "read", on: subject)
    return bytes
  }

  /// Writes all of `bytes` at the current position, or at the end of a file that was opened to append.
  public func write(_ bytes: [UInt8]) throws(SystemError) {
    // SAFETY: the other `write` passes a range of the array that lives for the call.
    unsafe try write(bytes, "write") { source, count, _ in unsafe cfsr_write(raw, source, count) }
  }

  /// Makes reads and writes that would wait fail with EAGAIN (O_NONBLOCK), for every duplicate too; no change for
  /// a plain file.
  public func makeNonBlocking() throws(SystemError) {
    let flags = fcntl(raw, F_GETFL)
    if flags < 0 || fcntl(raw, F_SETFL, flags | O_NONBLOCK) < 0 {
      throw SystemError("fcntl F_SETFL", on: subject, errno: errno)
    }
  }

  /// Writes what one write(2) takes, at least a byte; answers how many that were. EAGAIN when a non-blocking
  /// descriptor takes none.
  public func writeSome(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
    precondition(!bytes.isEmpty, "something to write")
    var answer: Int64 = 0
    // SAFETY: the slice lives for the closure, and the kernel reads as many bytes as are told.
    unsafe bytes.withUnsafeBytes { unsafe answer = cfsr_write(raw, $0.baseAddress!, $0.count) }
    return try check(answer, "write", on: subject)
  }

  /// Writes all of `bytes` from `offset`.
  public func write(_ bytes: [UInt8], at offset: UInt64) throws(SystemError) {
    guard offset <= UInt64(Int64.max) - UInt64(bytes.count) else {
      throw SystemError("pwrite", on: subject, errno: EINVAL)
    }
    // SAFETY: the other `write` passes a range of the array that lives for the call.
    unsafe try write(bytes, "pwrite") { source, count, written in
      unsafe cfsr_write_at(raw, source, count, offset + UInt64(written))
    }
  }

  private func write(_ bytes: [UInt8], _ call: String, _ body: (UnsafeRawPointer, Int, Int) -> Int64)
    throws(SystemError)
  {
    var failure: Int64 = 0
    // SAFETY: the array lives for the closure.
    unsafe bytes.withUnsafeBytes { source in
      var written = 0
      while written < source.count, failure == 0 {
        // SAFETY: the range from `written` to the end lies in the array.
        let answer = unsafe body(source.baseAddress! + written, source.count - written, written)
        failure = min(answer, 0)
        written += max(0, Int(answer))
      }
    }
    try check(failure, call, on: subject)
  }

  /// Sets the file's length in bytes.
  public func truncate(to length: UInt64) throws(SystemError) {
    guard length <= UInt64(Int64.max) else { throw SystemError("ftruncate", on: subject, errno: EFBIG) }
    try check(cfsr_truncate(raw, length), "ftruncate", on: subject)
  }

  /// Makes sure that `length` bytes from `offset` have blocks, so that no later write finds the disk full.
  public func allocate(at offset: UInt64, length: UInt64) throws(SystemError) {
    guard length <= UInt64(Int64.max), offset <= UInt64(Int64.max) - length else {
      throw SystemError("posix_fallocate", on: subject, errno: EFBIG)
    }
    try check(cfsr_allocate(raw, offset, length), "posix_fallocate", on: subject)
  }

  /// Makes what was written durable (fsync(2)).
  public func sync() throws(SystemError) { try check(cfsr_sync(raw), "fsync", on: subject) }
}
