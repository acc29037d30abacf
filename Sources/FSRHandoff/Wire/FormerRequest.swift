internal import FSRState

/// What asks a source for a handoff in the words of protocol version 1, which knows no plans: a kind for each product of
/// *trial* and *with wishes*, and wishes as names and values.
///
/// Still read, and still sent to a VMM that says no later version of itself. There is no further kind to come: what is new is
/// an axis of the plan.
struct FormerRequest: Equatable {
  struct Wish: Equatable {
    let name: String
    let value: String
  }

  private enum Name {
    static let file = "swap-file"
    static let rate = "copy-rate"
  }

  static let wishLimit = 16
  static let wishNameLimit = 64

  let isTrial: Bool
  let wishes: [Wish]

  var kind: Message.Kind {
    if wishes.isEmpty { isTrial ? .trial : .request } else { isTrial ? .wishingTrial : .wishingRequest }
  }

  /// The same as `plan`.
  init(_ plan: HandoffPlan) {
    // Version 1 has words for these alone.
    switch (plan.memory, plan.disks, plan.verify) {
    case (.share, .share, .load): break
    }
    isTrial = plan.depth == .trial
    wishes =
      switch plan.swap {
      case .shared: []
      case .mirrored(let path, let rate):
        [Wish(name: Name.file, value: path)] + (rate.map { [Wish(name: Name.rate, value: String($0))] } ?? [])
      }
  }

  init(_ kind: Message.Kind, wishes: [Wish]) throws(StateError) {
    let hasWishes = kind == .wishingRequest || kind == .wishingTrial
    // Who came for wishes has some.
    if hasWishes && wishes.isEmpty { throw .invalid("wishes", 0) }
    isTrial = kind == .trial || kind == .wishingTrial
    self.wishes = hasWishes ? wishes : []
  }

  /// The same as a plan's axes; a wish that is not known becomes a needed axis that is not known.
  var axes: [PlanAxis] {
    let depth = isTrial ? HandoffPlan(depth: .trial).axes : []
    let details = wishes.compactMap { wish -> PlanAxis.Detail? in
      switch wish.name {
      case Name.file: PlanAxis.Detail("path", wish.value)
      case Name.rate: PlanAxis.Detail("rate", wish.value)
      default: nil
      }
    }
    let others = wishes.filter { $0.name != Name.file && $0.name != Name.rate }
    return depth + (details.isEmpty ? [] : [PlanAxis("swap", "mirrored", details)])
      + others.map { PlanAxis($0.name, $0.value) }
  }
}
