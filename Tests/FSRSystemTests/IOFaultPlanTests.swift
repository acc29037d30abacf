import FSRSystem
import Testing

@Suite struct IOFaultPlanTests {
  @Test func everyFaultIsReadAsItIsWritten() throws {
    for operation in IOFaultPlan.Operation.allCases {
      for reason in IOFaultPlan.Reason.allCases {
        for (sign, last) in [("", 3), ("-9", 9), ("+", .max)] as [(String, UInt64)] {
          let text = "\(operation.rawValue):3\(sign):\(reason.rawValue)"
          let plan = try #require(IOFaultPlan(text))
          #expect(plan.description == text)
          #expect(plan.faults == [.init(operation, numbers: 3...last, reason: reason)])
        }
      }
    }
    #expect(IOFaultPlan("read:1:EIO,write:2+:ENOSPC")?.faults.count == 2)
  }

  @Test(arguments: [
    "", "read", "read:1", "read:0:EIO", "read:-1:EIO", "read:1:ENOENT", "open:1:EIO", "read:1:EIO,",
    "read:1:EIO:",
    "read:99999999999999999999:EIO", "read:+:EIO", "read:3-2:EIO", "read:1-:EIO", "read:-2:EIO",
    "read:0-2:EIO", "read:1-2+:EIO", "read:1-2-3:EIO",
    "read:1-99999999999999999999:EIO", String(repeating: "read:1:EIO,", count: 9) + "read:1:EIO",
    "read:" + String(repeating: "0", count: 600) + "1:EIO",
  ]) func whatIsNoPlanIsRefused(text: String) { #expect(IOFaultPlan(text) == nil) }

  @Test func operationsAreCountedApart() throws {
    var plan = try #require(IOFaultPlan("read:2:EIO,grow:1:ENOSPC"))
    let answers = [
      plan.reach(.read), plan.reach(.write), plan.reach(.grow), plan.reach(.read), plan.reach(.read),
      plan.reach(.grow),
    ]
    #expect(answers.map { $0 != nil } == [false, false, true, true, false, false])
    #expect(answers[2]?.isFull == true && answers[3]?.isInputOutput == true)
  }

  @Test func aStretchOfOperationsFails() throws {
    var plan = try #require(IOFaultPlan("write:2-3:EIO"))
    let answers = (1...4).map { _ in plan.reach(.write) != nil }
    #expect(answers == [false, true, true, false])
  }
}
