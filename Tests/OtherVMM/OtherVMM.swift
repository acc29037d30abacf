import FSRHandoff
import FSRState
import FSRSystem

/// A destination of another build: it reads the sections that it is told to, and never comes to run a guest.
final class OtherVMM: HandoffDestination {
  let sectionVersions: [SectionVersion]
  let build = "other"

  init(_ sectionVersions: [SectionVersion]) { self.sectionVersions = sectionVersions }

  func prepare(_ description: consuming GuestDescription, session: any SwitchLeader) throws {
    throw HandoffError.refused(Reason("it is not for running guests"))
  }

  func rehearse() {}
  func takeStorage() -> Bool { false }
  func load(_ checkpoint: Checkpoint) throws {}
  func resume() {}
  func arrived() {}
  func abandon() {}
  func finished(_ block: ControlBlock) {}
}
