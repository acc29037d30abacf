import FSRSystem
import Testing

/// Counts this process's descriptors, to find one that was left behind. Only inside an exit test, whose process
/// no other test shares.
enum OpenDescriptors {
  static func count() throws -> Int {
    try Directory.open("/proc/self/fd").names(limit: 100_000).count
  }

  /// Runs `body` often, and expects that fewer descriptors than runs are left behind: the runtime opens one of
  /// its own now and then, a leak shows in every run.
  static func expectNoneLeft(by body: () throws -> Void, _ at: SourceLocation = #_sourceLocation) throws {
    try body()
    let runs = 6
    let before = try count()
    for _ in 0..<runs { try body() }
    let after = try count()
    #expect(after - before < runs, sourceLocation: at)
  }
}

/// Takes what must be there out of an optional that `#require` cannot take, as its value is not copyable.
func required<T: ~Copyable>(_ value: consuming T?) throws -> T {
  guard let value else { throw Absent() }
  return value
}

/// Whether nothing is there.
func isAbsent<T: ~Copyable>(_ value: consuming T?) -> Bool {
  switch value {
  case .some: false
  case .none: true
  }
}

struct Absent: Error {}

/// The errno that `body` fails with; nil when it does not.
func refusal(_ body: () throws(SystemError) -> Void) -> Int32? {
  do {
    try body()
    return nil
  } catch {
    return error.errno
  }
}
