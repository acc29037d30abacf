internal import FSRClient

/// The answer of `fsr check`.
package struct CheckAnswer: Answer {
  @Nullable var vm: String?
  /// Whether a handoff would go through, as far as can be known before the guest is stopped.
  var ok = false
  var blockers: [Blocker] = []
  /// The build that would run the guest.
  @Nullable var build: String?
  /// What is wrong with the VM and in no handoff's way.
  var troubles: [String] = []
  @Nullable var reason: String?

  init(vm: String?) { self.vm = vm }
}
