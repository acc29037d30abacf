import FSRTestSupport
import Testing

extension Blocking {
  /// Records all that `body` finds wrong as issues of the test that calls this.
  static func check(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: @escaping @Sendable () throws -> [String]
  ) async {
    let findings = await run { () -> [String] in
      do { return try body() } catch { return ["\(error)"] }
    }
    for finding in findings { Issue.record("\(finding)", sourceLocation: sourceLocation) }
  }
}
