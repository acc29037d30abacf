import FSRSystem
import FSRTestSupport
import Testing

/// What VMMs may do beyond their user's rights, by the kernel's word: as root, as another user, with rights passed on.
@Suite(.serialized) struct RightsTests {
  private static let dacOverride: UInt64 = 1 << 1
  private static let fowner: UInt64 = 1 << 3
  private static let kill: UInt64 = 1 << 5
  private static let ipcLock: UInt64 = 1 << 14
  private static let sysNice: UInt64 = 1 << 23

  /// Where the rights of a VM's process are others than `expected`, as far as there are such here.
  private static func faults(of pid: Int32, expected: UInt64, _ when: String) throws -> [String] {
    let here = ProcessFiles(pid: ProcessIdentity.current().pid)
    let most = try here.rights("CapPrm", ofThread: here.pid) ?? 0
    let process = ProcessFiles(pid: pid)
    var findings: [String] = []
    for thread in try process.threads() {
      // A thread that serves a client ends when it likes.
      for key in ["CapPrm", "CapEff", "CapInh", "CapAmb"] {
        guard let has = try? process.rights(key, ofThread: thread) else { continue }
        let wanted = key == "CapPrm" || key == "CapEff" ? expected & most : 0
        if has != wanted { findings.append("\(when): thread \(thread) has \(key) \(String(has, radix: 16))") }
      }
    }
    return findings
  }

  @Test func aVMMAndItsDestinationsKeepWhatTheyNeedAndNoMore() async {
    await Blocking.check {
      let vm = try TestVM()
      var findings: [String] = []
      let expected =
        Host.effectiveUserID == 0
        ? Self.ipcLock | Self.sysNice | Self.dacOverride : Self.ipcLock | Self.sysNice
      try vm.run(["--memory", "16M", "--vcpus", "2", "--duty", "20", "--console", "/dev/null"])
      for round in 0...2 {
        if round > 0 {
          let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
          if code != 0 { findings.append("handoff: \(answer)") }
        }
        guard let pid = try vm.answer("status").value["pid"]?.number else { return ["no pid"] }
        findings += try Self.faults(of: Int32(pid), expected: expected, "round \(round)")
      }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  // MARK: other users

  private static let user = "65534"
  /// Somebody has to be somebody else first.
  private static let canChangeUser =
    Host.effectiveUserID == 0 && ExecutableFile.flaw(of: "/usr/bin/setpriv") == nil

  /// Runs `script` in a folder of another user's. `as` runs a command as that user; `lines` are what it printed.
  private static func other(_ script: String) throws -> BuiltCommand.Result {
    try BuiltCommand.shell(
      """
      set -u; ulimit -l 1024
      place=$(mktemp -d)
      chmod 755 "$place" && cp "$FSR" "$place/fsr" && chmod 755 "$place/fsr"
      mkdir "$place/run" && chown \(user):\(user) "$place/run" && chmod 700 "$place/run"
      export FSR_RUNTIME_DIR=$place/run
      as() { setpriv --reuid \(user) --regid \(user) --clear-groups "$@"; }
      fsr() { "$place/fsr" "$@"; }
      pid() { fsr status vm --json | sed 's/.*"pid":\\([0-9]*\\).*/\\1/'; }
      rights() { sed -n 's/^Cap\\(Inh\\|Prm\\|Eff\\|Amb\\):[[:space:]]*0*/\\1 /p' "/proc/$(pid)/status" | paste -sd' '; }
      trap 'fsr stop vm >/dev/null 2>&1; rm -rf "$place"' EXIT
      \(script)
      """)
  }

  @Test(.enabled(if: canChangeUser, "only root, with setpriv, becomes another user"))
  func aUserWithoutRightsRunsAndHandsOver() async {
    await Blocking.check {
      let result = try Self.other(
        """
        as "$place/fsr" run vm --memory 16M --duty 20 >/dev/null && as "$place/fsr" check vm >/dev/null &&
          as "$place/fsr" handoff vm --max-downtime 5s >/dev/null && rights && as "$place/fsr" stop vm >/dev/null &&
          ls "$place/run"
        as "$place/fsr" run vm --memory 16M --reserve 16M
        echo $?
        """)
      // Where the limit leaves no room for a block, nothing runs.
      return result.output == "Inh  Prm  Eff  Amb \n3\n" && result.errors.contains("CAP_IPC_LOCK")
        ? [] : ["\(result)"]
    }
  }

  @Test(.enabled(if: canChangeUser, "only root, with setpriv, becomes another user"))
  func rightsThatAUserWasGivenGoOnToTheDestination() async {
    await Blocking.check {
      let given = "+ipc_lock,+sys_nice,+net_raw"
      let result = try Self.other(
        """
        setpriv --reuid \(Self.user) --regid \(Self.user) --clear-groups --inh-caps \(given) --ambient-caps \(given) \
          "$place/fsr" run vm --memory 16M --duty 20 --reserve 16M >/dev/null && rights
        for round in 1 2; do as "$place/fsr" handoff vm --max-downtime 5s >/dev/null && rights; done
        as "$place/fsr" stop vm >/dev/null && ls "$place/run"
        """)
      let line = "Inh  Prm 804000 Eff 804000 Amb "
      return result.output == "\(line)\n\(line)\n\(line)\n" ? [] : ["\(result)"]
    }
  }

  /// A successor is root's, since its coordinator is; the VM goes on as root's from there.
  @Test(.enabled(if: canChangeUser, "only root, with setpriv, becomes another user"))
  func rootTakesAUsersVMOverAndClearsUp() async {
    await Blocking.check {
      let result = try Self.other(
        """
        as "$place/fsr" run vm --memory 16M --duty 20 --reserve 512K >/dev/null
        fsr handoff vm --max-downtime 5s --fault source:race:kill,destination:verify:kill --json |
          sed 's/.*"victor":"\\([a-z]*\\)".*/\\1/'
        rights
        fsr handoff vm --max-downtime 5s --json | sed 's/.*"victor":"\\([a-z]*\\)".*/\\1/'
        rights
        fsr history vm --json | grep -o '"victor":"[a-z]*"'
        blocks=$(readlink "$place/run/vm/blocks"); ls -d "$blocks" >/dev/null
        fsr stop vm >/dev/null; echo "stop $?"
        ls "$place/run"; ls -d "$blocks" 2>/dev/null
        """)
      let all = String(Self.ipcLock | Self.sysNice | Self.dacOverride | Self.kill | Self.fowner, radix: 16)
      let line = "Inh  Prm \(all) Eff \(all) Amb "
      let expected =
        "successor\n\(line)\ndestination\n\(line)\n\"victor\":\"successor\"\n\"victor\":\"destination\"\nstop 0\n"
      return result.output == expected ? [] : ["\(result)"]
    }
  }
}
