import FSRSystem

/// Counts this process's descriptors, to find one that was left behind. Only inside an exit test, whose process
/// no other test shares.
public enum OpenDescriptors {
  public static func count() throws -> Int {
    try Directory.open("/proc/self/fd").names(limit: 100_000).count
  }

  /// Whether running `body` often leaves fewer descriptors behind than there are runs: the runtime opens one of
  /// its own now and then, a leak shows in every run.
  public static func areClosed(after body: () throws -> Void) throws -> Bool {
    try body()
    let runs = 6
    let before = try count()
    for _ in 0..<runs { try body() }
    return try count() - before < runs
  }
}

/// Takes what must be there out of an optional that `#require` cannot take, as its value is not copyable.
public func required<T: ~Copyable>(_ value: consuming T?) throws -> T {
  guard let value else { throw Absent() }
  return value
}

/// Whether nothing is there.
public func isAbsent<T: ~Copyable>(_ value: consuming T?) -> Bool {
  switch value {
  case .some: false
  case .none: true
  }
}

public struct Absent: Error {
  public init() {}
}
