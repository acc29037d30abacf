/// A handoff whose coordinator died while it was prepared goes on by itself, for hours where much is copied: a recovery
/// gives it up once nothing has moved for long, and else when its own deadline has passed.
package struct UnattendedWatch: Sendable {
  /// Whether it goes on as far as is known: it was seen to, not long ago, or was not watched for long.
  package private(set) var isGoingOn = false
  private var last: [UInt64] = []
  private var giveUpAt: UInt64 = .max

  package init() {}

  /// From here on it has `timeout` nanoseconds to show something.
  package mutating func begin(at moment: UInt64, timeout: UInt64) { giveUpAt = moment &+ timeout }

  /// There is nothing to be given up any more.
  package mutating func end() { giveUpAt = .max }

  /// Takes how far it is; nil where it cannot go on by itself.
  package mutating func note(_ progress: [UInt64]?, at moment: UInt64, timeout: UInt64) {
    guard let progress else {
      isGoingOn = false
      return
    }
    if progress != last {
      // The first look has nothing to compare with: for so long nobody knows.
      if !last.isEmpty { giveUpAt = moment &+ timeout }
      isGoingOn = true
      last = progress
    } else if moment >= giveUpAt {
      isGoingOn = false
    }
  }

  package func isToGiveUp(at moment: UInt64) -> Bool { moment >= giveUpAt }
}
