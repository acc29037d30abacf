import FSRSystem
import FSRTestSupport
import Testing

/// Guests whose memory consists of pages of 2 MiB.
@Suite(.serialized) struct HugePageTests {
  private static let megabytes = 32

  /// Pages of 2 MiB that nobody has taken.
  private static func free() -> Int {
    let path = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"
    guard let file = try? OwnedDescriptor.open(path, .read), let bytes = try? file.read(limit: 64) else {
      return 0
    }
    return Int(String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? "0") ?? 0
  }

  @Test func withoutEnoughOfThemAVMIsRefused() async {
    await Blocking.check {
      let vm = try TestVM()
      let result = try vm.fsr(["run", vm.name, "--memory", "16T", "--page-size", "2m"])
      let isSaid = result.errorLines.count == 1 && result.errors.contains("vm.nr_hugepages")
      return (result.code == 3 && isSaid ? [] : ["run: \(result)"]) + (try vm.remains())
    }
  }

  @Test func handoffsTakeThemAlong() async {
    guard Self.free() >= Self.megabytes / 2 else {
      print(
        "SKIPPED: handoffs with huge pages: the pool has \(Self.free()) of \(Self.megabytes / 2) (vm.nr_hugepages)"
      )
      return
    }
    await Blocking.check {
      let before = Self.free()
      let vm = try TestVM()
      try vm.run(["--memory", "\(Self.megabytes)M", "--page-size", "2m", "--vcpus", "2"])
      var findings: [String] = []
      let taken = before - Self.free()
      if taken != Self.megabytes / 2 { findings.append("\(taken) pages were taken") }
      for fault in [[], ["--fault", "destination:verify:kill"], []] {
        let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"] + fault)
        if code != (fault.isEmpty ? 0 : 4) { findings.append("handoff: \(answer)") }
        if try !vm.advances() { findings.append("the guest stands still") }
        if before - Self.free() != taken { findings.append("\(before - Self.free()) pages are taken") }
      }
      let errors = try vm.guestErrors()
      if errors != 0 { findings.append("the guest counts errors: \(String(describing: errors))") }
      findings += try vm.stopped().map { "left behind: \($0)" }
      if Self.free() != before { findings.append("\(before - Self.free()) pages are taken for ever") }
      return findings
    }
  }
}
