import FSRSystem
import FSRTestSupport
import Testing

extension OpenDescriptors {
  static func expectNoneLeft(by body: () throws -> Void, _ at: SourceLocation = #_sourceLocation) throws {
    let areClosed = try areClosed(after: body)
    #expect(areClosed, sourceLocation: at)
  }
}

/// The errno that `body` fails with; nil when it does not.
func refusal(_ body: () throws(SystemError) -> Void) -> Int32? {
  do {
    try body()
    return nil
  } catch {
    return error.errno
  }
}
