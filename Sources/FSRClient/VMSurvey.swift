internal import FSRHandoff
public import FSRHost
internal import FSRSystem
internal import Synchronization

/// How all VMs of a runtime folder fare. They are asked side by side: many that hang keep nobody waiting for longer than
/// one.
public enum VMSurvey {
  /// How many are asked at once.
  private static let width = 16

  public enum Finding: Sendable {
    case status(VMStatus)
    /// There is a folder, and no guest any more.
    case ended
    /// Why it cannot be told.
    case unknown(VMError)
  }

  /// Of each of `names` that is there; in their order.
  public static func look(at names: [String], in runtime: borrowing RuntimeDirectory) throws(VMError) -> [(
    name: String, finding: Finding
  )] {
    let runtime = Owned(try runtime.duplicate())
    let round = Round(names: names, runtime: runtime)
    // Where no thread can be had this one does it all.
    let helpers = (1..<max(1, min(width, names.count))).compactMap { _ in
      try? OSThread.start(name: "look") { round.work() }
    }
    round.work()
    for helper in helpers { helper.join() }
    return names.indices.compactMap { index in
      var finding = round[index]
      if case .unknown(let error)? = finding, error.reason.code == .limits {
        // There was no room for all of them at once.
        finding = one(names[index], in: runtime.value)
      }
      return finding.map { (names[index], $0) }
    }
  }

  /// Nil where it is not there, or not any more.
  private static func one(_ name: String, in runtime: borrowing RuntimeDirectory) -> Finding? {
    do throws(VMError) {
      let folder = try runtime.vm(name)
      do throws(VMError) { return .status(try VMClient.status(of: folder)) } catch {
        guard error.kind == .noSuchVM else { throw error }
        return folder.isRemoved ? nil : .ended
      }
    } catch {
      return error.kind == .noSuchVM ? nil : .unknown(error)
    }
  }

  /// What the threads take their work from, and put what they find into.
  private final class Round: Sendable {
    private let names: [String]
    private let runtime: Owned<RuntimeDirectory>
    private let next = Atomic<Int>(0)
    private let found: Mutex<[Finding?]>

    init(names: [String], runtime: Owned<RuntimeDirectory>) {
      self.names = names
      self.runtime = runtime
      found = Mutex(Array(repeating: nil, count: names.count))
    }

    subscript(index: Int) -> Finding? { found.withLock { $0[index] } }

    func work() {
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < names.count else { return }
        let finding = one(names[index], in: runtime.value)
        found.withLock { $0[index] = finding }
      }
    }
  }
}
