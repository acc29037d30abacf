import FSRHandoff
import FSRSystem
import Testing

@Suite struct HandoffPlanTests {
  /// Every value of every axis, and each product of those that have more than one.
  static let plans: [HandoffPlan] = {
    let swaps: [HandoffPlan.Swap] = [
      .shared, .mirrored(path: "/größer", bytesPerSecond: nil), .mirrored(path: "/a; b", bytesPerSecond: 1),
      .mirrored(path: "/c", bytesPerSecond: .max),
    ]
    return [HandoffPlan.Depth.handOver, .trial].flatMap { depth in
      swaps.map { HandoffPlan(depth: depth, swap: $0) }
    }
  }()

  @Test(arguments: plans) func aPlanIsReadBackFromItsAxes(_ plan: HandoffPlan) throws {
    #expect(try HandoffPlan(plan.axes) == plan)
    // Whatever their order.
    #expect(try HandoffPlan(plan.axes.reversed()) == plan)
  }

  /// Both ways of asking come to the same plan.
  @Test(arguments: plans) func aPlanIsReadBackFromTheWordsOfVersion1(_ plan: HandoffPlan) throws {
    let message = Message.request(HandoffRequest(plan: plan))
    for version in [1, HandoffProtocol.versions.upperBound] as [UInt16] {
      guard case .request(let read) = try Message(decoding: message.encoded(speaking: version)) else {
        Issue.record("\(plan) is read as something else")
        continue
      }
      #expect(try read.plan == plan)
    }
    #expect(message.encoded(speaking: 1).first != message.encoded.first)
  }

  @Test func whatIsSaidOfADefaultIsTheDefault() throws {
    let axes = [
      PlanAxis("depth", "handOver"), PlanAxis("memory", "share"), PlanAxis("swap", "shared"),
      PlanAxis("disks", "share"), PlanAxis("verify", "load"),
    ]
    #expect(try HandoffPlan(axes) == HandoffPlan())
    #expect(HandoffPlan().axes.isEmpty)
  }

  /// Axes that a VMM of this build may not leave out, and by which name they are refused.
  static let unknown: [(axis: PlanAxis, name: String)] = [
    (PlanAxis("channel", "tcp"), "'channel'"),
    (PlanAxis("memory", "precopy"), "'memory' as 'precopy'"),
    (PlanAxis("depth", "Trial"), "'depth' as 'Trial'"),
    (PlanAxis("disks", "relocate"), "'disks' as 'relocate'"),
    (PlanAxis("verify", "shadow"), "'verify' as 'shadow'"),
    (PlanAxis("swap", "none"), "'swap' as 'none'"),
    (PlanAxis("depth", "trial", [PlanAxis.Detail("until", "load")]), "'until' of 'depth'"),
    (
      PlanAxis("swap", "mirrored", [PlanAxis.Detail("path", "/a"), PlanAxis.Detail("speed", "1")]),
      "'speed' of 'swap'"
    ),
    (PlanAxis("", ""), "''"),
  ]

  private static func refusal(of axes: [PlanAxis]) -> Reason? {
    do {
      _ = try HandoffPlan(axes)
      return nil
    } catch {
      guard case .refused(let reason) = error else { return nil }
      return reason
    }
  }

  @Test(arguments: unknown) func whatIsNeededAndUnknownIsRefusedByName(axis: PlanAxis, name: String) {
    let reason = Self.refusal(of: [PlanAxis("verify", "load"), axis].suffix(axis.name == "verify" ? 1 : 2))
    #expect(reason?.what.contains("does not know \(name) in") == true, "\(reason as Any)")
    #expect(reason?.code == .version && reason?.remedy != nil)
  }

  /// The rest of the plan holds, and nothing of the axis itself.
  @Test(arguments: unknown) func whatIsUnknownAndNotNeededIsLeftOut(axis: PlanAxis, name: String) throws {
    let optional = PlanAxis(axis.name, axis.value, axis.details, isNeeded: false)
    #expect(try HandoffPlan([optional]) == HandoffPlan())
    let depth = PlanAxis("depth", "trial")
    guard axis.name != "depth" else { return }
    #expect(try HandoffPlan([optional, depth]) == HandoffPlan(depth: .trial))
  }

  @Test(arguments: [
    [PlanAxis.Detail("rate", "5")], [PlanAxis.Detail("path", "a")], [],
    [PlanAxis.Detail("path", "/a"), PlanAxis.Detail("rate", "0")],
    [PlanAxis.Detail("path", "/a"), PlanAxis.Detail("rate", "-1")],
    [PlanAxis.Detail("path", "/a"), PlanAxis.Detail("rate", "")],
    [PlanAxis.Detail("path", "/a"), PlanAxis.Detail("rate", "18446744073709551616")],
  ]) func aMirrorThatCannotBeIsRefused(details: [PlanAxis.Detail]) {
    #expect(Self.refusal(of: [PlanAxis("swap", "mirrored", details)])?.code == .swap)
  }

  @Test(arguments: [
    [PlanAxis("depth", "trial"), PlanAxis("depth", "trial")],
    [PlanAxis("x", "1", isNeeded: false), PlanAxis("x", "2", isNeeded: false)],
    [PlanAxis("swap", "mirrored", [PlanAxis.Detail("path", "/a"), PlanAxis.Detail("path", "/a")])],
  ]) func whatIsSaidTwiceBreaksTheProtocol(axes: [PlanAxis]) {
    #expect(throws: HandoffError.self) { try HandoffPlan(axes) }
    #expect(Self.refusal(of: axes) == nil)
  }
}
