internal import FSRHandoff
internal import FSRState

/// How the vCPU threads are scheduled, where somebody has seen to that: described, as the next VMM may do without.
final class VCPUScheduling: DescribedPart {
  private let threads: VCPUThreads

  init(of threads: VCPUThreads) { self.threads = threads }

  func describe(into description: inout GuestDescription) {
    let standings = threads.standings
    if standings.byVCPU.isEmpty { return }
    description.manifest.sections.append(
      StateSection(
        name: VCPUStandings.section, version: VCPUStandings.sectionVersion, isNeeded: false,
        payload: standings.encoded))
  }

  /// What a manifest says of it. A later version than this build reads is left out: the guest runs without.
  static func standings(in manifest: Manifest, vcpus: Int) throws(StateError) -> VCPUStandings {
    guard let section = manifest.sections.first(where: { $0.name == VCPUStandings.section }),
      section.version <= VCPUStandings.sectionVersion
    else { return VCPUStandings() }
    return try VCPUStandings(decoding: section.payload, vcpus: vcpus)
  }
}
