internal import FSRHandoff

/// Shows a person how far a handoff is that takes its time: its phase, and the bytes done of its long work.
final class HandoffProgress {
  private static let phases: [(mark: TimelineMark, label: String)] = [
    (.copied, "ready to stop the guest"), (.prepared, "copying the swap file"),
    (.negotiated, "getting the new VMM ready"),
    (.started, "agreeing on versions"), (.requested, "starting the new VMM"),
  ]

  private let name: String
  private var bar: ProgressBar

  /// - Parameter name: the VM's.
  init(of name: String, on terminal: Terminal = .errors) {
    self.name = name
    bar = ProgressBar(on: terminal)
  }

  func show(_ block: ControlBlock) {
    // Nobody waits for what comes then.
    if block.time(of: .stunned) != 0 || block.state != .none { return bar.clear() }
    let passed = HandoffProgress.phases.firstIndex { block.time(of: $0.mark) != 0 }
    let label = "\(name): " + (passed.map { HandoffProgress.phases[$0].label } ?? "asking the VMM")
    if let (done, total) = [Party.source, .destination].lazy.compactMap(block.progress).first(where: {
      $0.0 < $0.1
    }) {
      bar.show(label, bytes: done, of: total)
    } else {
      bar.show(
        label, done: passed.map { HandoffProgress.phases.count - $0 } ?? 0, of: HandoffProgress.phases.count)
    }
  }

  func clear() { bar.clear() }
}
