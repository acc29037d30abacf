import FSRStorage
import FSRSystem
import Testing

/// The states of a copy: the whole table, and what holds with a source and a guest around it.
@Suite struct CopyHelperTests {
  private static let error = SystemError("pwrite", on: "a copy", errno: 28)
  private static let failures: [CopyFailure] = [
    .original(error), .copy(error), .hangs(seconds: 10), .cancelled, .wokenEarly,
  ]
  private static let plainEvents: [CopyHelper.Event] = [.stands, .copied, .settled, .wake, .drained]
  private static var events: [CopyHelper.Event] { plainEvents + failures.map { .failed($0) } }

  /// The states in their order, and what leads to each.
  private static func helper(in state: CopyHelper.State) -> CopyHelper {
    let way: [CopyHelper.Event] =
      switch state {
      case .starting: []
      case .inProgress: [.stands]
      case .done: [.stands, .copied]
      case .sleeping: [.stands, .copied, .settled]
      case .stunning: [.stands, .copied, .settled, .wake]
      case .failed: [.failed(.cancelled)]
      case .exited: [.stands, .copied, .settled, .wake, .drained]
      }
    var helper = CopyHelper()
    for event in way { helper.take(event) }
    return helper
  }

  @Test func everyEventInEveryStateDoesWhatTheTableSays() {
    // stands, copied, settled, wake, drained, failed; nil changes nothing.
    let table: [CopyHelper.State: [CopyHelper.State?]] = [
      .starting: [.inProgress, nil, nil, .failed, nil, .failed],
      .inProgress: [nil, .done, nil, .failed, nil, .failed],
      .done: [nil, nil, .sleeping, .failed, nil, .failed],
      .sleeping: [nil, nil, nil, .stunning, nil, .failed],
      .stunning: [nil, nil, nil, nil, .exited, .failed],
      .failed: [nil, nil, nil, nil, .exited, nil],
      .exited: [nil, nil, nil, nil, nil, nil],
    ]
    #expect(Set(table.keys) == Set(CopyHelper.State.allCases))
    for (state, row) in table {
      for (column, event) in Self.plainEvents.enumerated() {
        let before = Self.helper(in: state)
        var after = before
        after.take(event)
        #expect(before.state == state)
        #expect(after.state == row[column] ?? state, "\(event) in \(state)")
        if row[column] == nil { #expect(after == before, "\(event) in \(state)") }
      }
      for failure in Self.failures {
        let before = Self.helper(in: state)
        var after = before
        after.take(.failed(failure))
        #expect(after.state == row[5] ?? state, "\(failure) in \(state)")
        #expect(row[5] == nil ? after == before : after.failure == failure, "\(failure) in \(state)")
      }
    }
  }

  @Test func whoWakesItEarlyIsTheReason() {
    for state in [CopyHelper.State.starting, .inProgress, .done] {
      var helper = Self.helper(in: state)
      helper.take(.wake)
      #expect(helper.failure == .wokenEarly)
    }
  }

  @Test func theFirstReasonStays() {
    for first in Self.failures {
      for second in Self.events {
        var helper = Self.helper(in: .sleeping)
        helper.take(.failed(first))
        helper.take(second)
        #expect(helper.failure == first && !helper.isCopied && !helper.isAlive)
        helper.take(.drained)
        helper.take(second)
        #expect(helper.failure == first && helper.state == .exited && !helper.isCopied)
      }
    }
  }

  @Test func onlyTheEdgesOfTheDesignExist() {
    typealias State = CopyHelper.State
    struct Edge: Hashable { let from: State, to: State }
    let design: [(State, [State])] = [
      (.starting, [.inProgress, .failed]), (.inProgress, [.done, .failed]), (.done, [.sleeping, .failed]),
      (.sleeping, [.stunning, .failed]), (.stunning, [.exited, .failed]), (.failed, [.exited]),
    ]
    var seen: Set<CopyHelper> = [CopyHelper()]
    var frontier = [CopyHelper()]
    var edges: Set<Edge> = []
    while let helper = frontier.popLast() {
      for event in Self.events {
        var next = helper
        next.take(event)
        if next.state != helper.state { edges.insert(Edge(from: helper.state, to: next.state)) }
        if seen.insert(next).inserted { frontier.append(next) }
      }
    }
    #expect(edges == Set(design.flatMap { from, all in all.map { Edge(from: from, to: $0) } }))
    #expect(Set(seen.map(\.state)) == Set(State.allCases))
    // A copy is taken in one way only.
    let copied = seen.filter(\.isCopied)
    #expect(copied == [Self.helper(in: .exited)])
    for helper in seen {
      #expect((helper.failure == nil) == (helper.isCopied || helper.isAlive))
    }
  }

  @Test(arguments: [true, false])
  func withASourceAndAGuestNobodyGoesOnTooEarlyNorTakesHalfACopy(isPatient: Bool) {
    let first = CopyParties(sourceIsPatient: isPatient)
    var seen: Set<CopyParties> = [first]
    var frontier = [first]
    var ends: Set<CopyParties.Source> = []
    while let parties = frontier.popLast() {
      ends.insert(parties.source)
      for next in parties.successors() where seen.insert(next).inserted {
        if let violation = next.violation() {
          Issue.record("\(violation): \(next)")
          return
        }
        frontier.append(next)
      }
    }
    print("explored \(seen.count) worlds of a copy, a source and a guest")
    #expect(seen.count > 350)
    #expect(ends == Set(CopyParties.Source.allCases))
  }
}
