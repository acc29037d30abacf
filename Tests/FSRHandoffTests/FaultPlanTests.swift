import FSRHandoff
import FSRTestSupport
import Testing

@Suite struct FaultPlanTests {
  @Test func everyStepOfEveryPartyIsReadBack() throws {
    for party in Party.allCases {
      let steps = FaultPlan.steps(of: party)
      #expect(Set(steps).count == steps.count)
      for step in steps {
        for kind in FaultPlan.Kind.allCases {
          let text = "\(party):\(step):\(kind.rawValue)"
          let plan = try #require(FaultPlan(text))
          #expect(plan.faults == [FaultPlan.Fault(party: party, step: step, kind: kind)])
          #expect(plan.description == text)
        }
      }
    }
  }

  @Test func everyStepOfAMachineCanBeNamed() {
    let stages = Precopy.Stage.allCases.map { "precopy-\($0.rawValue)" }
    #expect(Set(FaultPlan.steps(of: .source)) == Set(SourceStep.allCases.map(\.rawValue) + stages))
    #expect(Set(FaultPlan.steps(of: .coordinator)) == Set(CoordinatorStep.allCases.map(\.rawValue)))
    #expect(Set(FaultPlan.steps(of: .destination)) == Set(DestinationStep.allCases.map(\.rawValue)))
  }

  @Test func severalFaultsAreReadInTheirOrder() throws {
    let text = "source:race:stop,destination:verify:kill,source:fence:kill"
    let plan = try #require(FaultPlan(text))
    #expect(plan.faults.map(\.step) == ["race", "verify", "fence"])
    #expect(plan.description == text)
  }

  @Test(arguments: [
    "", ",", "source", "source:stun", "source:stun:", "source:stun:kill:", ":stun:kill", "source::kill",
    "source:stun:hang", "nobody:stun:kill", "source:verify:kill", "destination:stun:kill",
    "source:stun:kill,",
    ",source:stun:kill", "source:stun:kill,,source:race:kill", "Source:stun:kill", " source:stun:kill",
  ])
  func whatIsNotKnownIsNoPlan(_ text: String) {
    #expect(FaultPlan(text) == nil)
  }

  @Test func aPlanIsBounded() {
    let one = "source:race:stop"
    let most = Array(repeating: one, count: FaultPlan.faultLimit).joined(separator: ",")
    #expect(FaultPlan(most) != nil)
    #expect(FaultPlan(most + "," + one) == nil)
  }

  @Test func mutationsAreReadOrRefused() {
    var chance = SeededGenerator(seed: 8)
    let text = Array("source:race:stop,destination:verify:kill".utf8)
    for _ in 0..<10_000 {
      guard let mutated = String(validating: chance.mutate(text), as: UTF8.self),
        let plan = FaultPlan(mutated)
      else { continue }
      #expect(plan.description == mutated)
    }
  }
}
