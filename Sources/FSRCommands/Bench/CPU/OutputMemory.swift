internal import FSRSystem

/// Where another process's output goes: a memfd of a fixed size, so that it can neither wait nor grow.
struct OutputMemory: ~Copyable {
  /// For the process, as its standard output.
  let descriptor: OwnedDescriptor

  init() throws(SystemError) {
    descriptor = try Memfd.create(name: "fsr-output", size: UInt64(BenchTranscript.limit))
  }

  /// What was written so far.
  func bytes() throws(SystemError) -> [UInt8] {
    let all = try descriptor.readAll(limit: BenchTranscript.limit)
    let end = all.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
    return Array(all[..<end])
  }
}
