import FSRClient
import FSRHandoff
import FSRHost
import FSRSystem
import FSRTestSupport
import Synchronization
import Testing

/// Handoffs of a VM of real processes that this very process coordinates, without a command.
@Suite struct HandoffRunTests {
  /// Runs a VM that counts, and answers what `body` finds wrong of it, and what it leaves.
  private static func expect(
    _ body: @escaping @Sendable (_ folder: borrowing VMFolder, _ pid: Int32) throws -> [String]
  ) async {
    let findings = await Blocking.run { () -> [String] in
      do {
        let place = try TemporaryDirectory(under: "/tmp")
        let runtime = try RuntimeDirectory.open(place.path, creating: false)
        let name = "run-\(ProcessIdentity.current().pid)"
        let pid = try VMLauncher.start(
          VMConfiguration(name: name, memory: 1 << 20, vcpus: 2, guest: "soak"), in: runtime,
          executable: try BuiltCommand.path(of: "CountingVMM"), endsWithUs: true)
        let folder = try runtime.vm(name)
        var findings: [String]
        do { findings = try body(folder, pid) } catch { findings = ["\(error)"] }
        try VMClient.stop(folder)
        let left = try place.directory.names(limit: 10).filter { !$0.hasPrefix(".ledger") }
        return findings + left.map { "left behind: \($0)" }
      } catch { return ["\(error)"] }
    }
    #expect(findings == [])
  }

  private static var options: CoordinatorSession.Options {
    var options = CoordinatorSession.Options()
    (options.timeout, options.maxDowntime) = (60_000_000_000, 30_000_000_000)
    return options
  }

  @Test func aGuestIsHandedOverAndTheCallerHearsOfIt() async {
    await Self.expect { folder, pid in
      var marks: [TimelineMark] = []
      var policies: [Scheduling.Policy] = []
      let run = try HandoffRun.perform(
        .handoff, on: folder, options: Self.options,
        observer: HandoffObserver(look: { block in
          marks += [.requested, .prepared, .entered].filter { !marks.contains($0) && block.time(of: $0) != 0 }
          if let policy = try? Scheduling.policy(of: 0), !policies.contains(policy) {
            policies.append(policy)
          }
        }))
      var findings: [String] = []
      if run.end != .destination || run.report?.victor != "destination" || run.isInterrupted {
        findings.append("\(run)")
      }
      let status = try VMClient.status(of: folder)
      if run.owner == pid || run.owner != status.pid || status.generation != 2 {
        findings.append("\(run.owner ?? 0) owns it, once \(pid): \(status)")
      }
      if !marks.contains(.requested) { findings.append("nothing was heard: \(marks)") }
      if policies != [try Scheduling.policy(of: 0)] {
        findings.append("the thread was scheduled as \(policies)")
      }
      let again = try HandoffRun.perform(.recovery, on: folder)
      if again.end != .destination || again.owner != status.pid { findings.append("recovered: \(again)") }
      return findings
    }
  }

  @Test func aThreadThatMakesWayIsScheduledAsBeforeAfterwards() async {
    await Self.expect { folder, _ in
      var policies: Set<String> = []
      let before = try Scheduling.policy(of: 0)
      let run = try HandoffRun.perform(
        .handoff, on: folder, options: Self.options,
        observer: HandoffObserver(look: { _ in
          if let policy = try? Scheduling.policy(of: 0) { policies.insert("\(policy)") }
        }), makingWay: true)
      var findings = run.end == .destination ? [] : ["\(run)"]
      if before == .normal, policies != ["batch"] { findings.append("scheduled meanwhile as \(policies)") }
      if try Scheduling.policy(of: 0) != before { findings.append("not scheduled as before: \(before)") }
      return findings
    }
  }

  /// Whatever is said first is the reason, and it is said once.
  @Test func aCallerCallsItOffInItsOwnWords() async {
    await Self.expect { folder, pid in
      var asked = 0
      let run = try HandoffRun.perform(
        .handoff, on: folder, options: Self.options,
        observer: HandoffObserver(interruption: {
          asked += 1
          return "word \(asked)"
        }))
      var findings: [String] = []
      if run.end != .source || !run.isInterrupted || run.code != .interrupted || run.blocker != nil
        || run.why != "word 1 interrupted it"
      {
        findings.append("\(run)")
      }
      if asked != 1 { findings.append("it was asked \(asked) times") }
      let status = try VMClient.status(of: folder)
      if status.pid != pid || status.state != .running { findings.append("\(status)") }
      return findings
    }
  }

  @Test func aTrialThatPassesLeavesTheGuestWhereItIs() async {
    await Self.expect { folder, pid in
      var options = Self.options
      options.plan.depth = .trial
      let run = try HandoffRun.perform(.handoff, on: folder, options: options)
      let owner = try VMClient.status(of: folder).pid
      return run.hasPassedTrial && run.blocker == nil && owner == pid ? [] : ["\(owner): \(run)"]
    }
  }

  /// The destination is no VMM: the guest is untouched, and what stood in the way is said.
  @Test func whatStandsInTheWayIsSaid() async {
    await Self.expect { folder, pid in
      var options = Self.options
      options.executable = "/bin/false"
      let run = try HandoffRun.perform(.handoff, on: folder, options: options)
      let owner = try VMClient.status(of: folder).pid
      return run.end == .source && run.blocker?.code == .destination && owner == pid
        ? [] : ["\(owner): \(run)"]
    }
  }

  @Test func thereIsNoHandoffOfAVMThatWasNeverStarted() throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let runtime = try RuntimeDirectory.open(place.path, creating: false)
    let folder = try runtime.makeVM("none")
    do {
      _ = try HandoffRun.perform(.handoff, on: folder)
      Issue.record("it was handed over")
    } catch let error as VMError { #expect(error.kind == .noSuchVM) }
    folder.remove()
    let left = try place.directory.names(limit: 10)
    #expect(left == [])
  }
}
