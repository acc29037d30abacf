public import FSRSystem

extension HandoffError {
  /// Nanoseconds for a process that is about to close a file.
  private static let writerTimeout: UInt64 = 250_000_000
  /// Characters of a path that a reason has room for.
  private static let pathLimit = 160

  /// What refuses a handoff because other processes have some of the files in `bag` open for writing; nil where none is
  /// seen. Who sees what is up to the rights of who asks.
  ///
  /// - Parameters:
  ///   - places: of the files in `bag`; what is no plain file there is left out.
  ///   - others: processes that may write.
  public static func writers(of bag: borrowing DescriptorBag, at places: [Int], besides others: Set<Int32>)
    throws(HandoffError) -> HandoffError?
  {
    do throws(SystemError) {
      var search = WriterSearch()
      var paths: [Int: String] = [:]
      for place in places {
        var failure: SystemError?
        bag.withDescriptor(at: place) { descriptor in
          do throws(SystemError) {
            try search.look(for: descriptor, token: place)
            paths[place] = try descriptor.link()
          } catch { failure = error }
        }
        if let failure { throw failure }
      }
      let found = try search.writers(besides: others, timeout: writerTimeout)
      guard let first = found.first, let path = paths[first.token] else { return nil }
      let shown = path.count > pathLimit ? "…" + path.suffix(pathLimit) : path
      let more = Set(found.map(\.pid)).count - 1
      return .refused(
        Reason(
          "process \(first.pid) (\(first.command)) \(more > 0 ? "and \(more) more have" : "has") \(shown) open for "
            + "writing, which goes with the VM",
          remedy: "end that process, or wait until it has closed the file", code: .writers))
    } catch { throw .system(error) }
  }
}
