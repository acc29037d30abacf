package import FSRHandoff

/// A phase of a handoff: what lies between two marks of its timeline.
package struct HandoffPhase {
  /// Whose work it is.
  package enum Performer { case source, destination, victor }

  package let name: String
  let first: TimelineMark
  let last: TimelineMark
  package let performer: Performer

  package static let all = [
    HandoffPhase("start", .requested, .started, by: .source),
    HandoffPhase("negotiate", .started, .negotiated, by: .source),
    HandoffPhase("prepare", .negotiated, .prepared, by: .source),
    HandoffPhase("precopy", .prepared, .copied, by: .source),
    HandoffPhase("quiesce", .copied, .quiesced, by: .source),
    HandoffPhase("stun", .stunned, .left, by: .source),
    HandoffPhase("checkpoint", .left, .completed, by: .source),
    HandoffPhase("wake", .completed, .seen, by: .destination),
    HandoffPhase("verify", .seen, .loaded, by: .destination),
    HandoffPhase("race", .loaded, .decided, by: .victor),
    HandoffPhase("resume", .decided, .entered, by: .victor),
    HandoffPhase("reap", .entered, .reaped, by: .victor),
  ]

  private init(
    _ name: String, _ first: TimelineMark, _ last: TimelineMark, by performer: Performer
  ) {
    self.name = name
    self.first = first
    self.last = last
    self.performer = performer
  }

  /// When it began and ended, in nanoseconds on the monotonic clock; nil where one of its marks has not passed, or
  /// they passed in another order.
  package func times(in block: ControlBlock) -> (begin: UInt64, end: UInt64)? {
    let end = block.time(of: last)
    var begin = block.time(of: first)
    // A VMM that copies nothing of this kind does not say when it has.
    if first == .copied, begin == 0 { begin = block.time(of: .prepared) }
    guard begin != 0, end >= begin, begin >= block.time(of: .requested) else { return nil }
    return (begin, end)
  }
}
