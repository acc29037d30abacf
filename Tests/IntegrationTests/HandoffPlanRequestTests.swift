import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// What a VMM makes of a plan that comes over its control socket.
@Suite(.serialized) struct HandoffPlanRequestTests {
  /// The answers to a request with these axes.
  private static func answers(
    of vm: TestVM, to axes: [PlanAxis], speaking version: UInt16 = HandoffProtocol.versions.upperBound
  ) throws -> [Message] {
    let coordinator = LyingCoordinator(vm: vm)
    let blocks = try coordinator.blocks()
    let block = try coordinator.draft(in: blocks)
    let channel = try coordinator.connect()
    var request = HandoffRequest()
    request.axes = axes
    try coordinator.request(channel, block, asking: request, speaking: version)
    // Said ahead: the source waits for it before it goes on.
    try? channel.send(.holding)
    let answers = coordinator.answers(channel)
    _ = blocks.removeDraft(of: block)
    return answers
  }

  @Test func anUnknownPartIsRefusedByNameOrLeftOut() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "20"])
      var findings: [String] = []
      func expect(_ isRight: Bool, _ what: String, _ answers: [Message]) {
        if !isRight { findings.append("\(what): \(answers)") }
      }
      let trial = PlanAxis("depth", "trial")
      for (axis, name) in [
        (PlanAxis("channel", "tcp"), "'channel'"), (PlanAxis("memory", "precopy"), "'memory' as 'precopy'"),
        (PlanAxis("depth", "trial", [PlanAxis.Detail("until", "load")]), "'until' of 'depth'"),
      ] {
        let answers = try Self.answers(of: vm, to: axis.name == trial.name ? [axis] : [trial, axis])
        var isRefused = false
        if case .refused(let why)? = answers.first, answers.count == 1 {
          isRefused = why.code == .version && why.what.contains(name)
        }
        expect(isRefused, "\(name) is not refused by name", answers)
      }
      let optional = PlanAxis("channel", "tcp", isNeeded: false)
      for (axes, version) in [([trial, optional], 2), ([trial], 1)] as [([PlanAxis], UInt16)] {
        let answers = try Self.answers(of: vm, to: axes, speaking: version)
        expect(answers.first == .accepted, "\(axes) is not taken up", answers)
        let isTried = try TestVM.wait { try vm.newestBlock()?.reason(of: .source)?.code == .tried }
        expect(isTried, "\(axes) was no trial", answers)
      }
      if try !vm.advances() { findings.append("the guest stands still") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
