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

  /// A folder of somebody's lies where others may pass through and not look, as in many a home.
  @Test(.enabled(if: OtherUser.canRunCommand, "only root becomes another user"))
  func aRuntimeFolderMayLieWhereItsUserCannotLook() async {
    await Blocking.check {
      let result = try Self.other(
        """
        mkdir "$place/home" && chmod 711 "$place/home"
        mkdir "$place/home/mine" && chown \(Self.user):\(Self.user) "$place/home/mine"
        export FSR_RUNTIME_DIR=$place/home/mine/run
        as "$place/fsr" run vm --memory 16M >/dev/null && as "$place/fsr" handoff vm --max-downtime 5s >/dev/null &&
          as "$place/fsr" stop vm && ls "$place/home/mine/run"
        FSR_RUNTIME_DIR=$place/home/run as "$place/fsr" run vm --memory 16M
        echo $?
        """)
      return result.output == "vm: stopped\n3\n" && result.errors.contains("Permission denied")
        ? [] : ["\(result)"]
    }
  }

  @Test(.enabled(if: OtherUser.canRunCommand, "only root becomes another user"))
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

  @Test(.enabled(if: OtherUser.canRunCommand, "only root becomes another user"))
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

  /// What root does in a user's folder is done as that user; successors too.
  @Test(.enabled(if: OtherUser.canRunCommand, "only root becomes another user"))
  func rootTakesAUsersVMOverAndClearsUp() async {
    await Blocking.check {
      let result = try Self.other(
        """
        uid() { sed -n 's/^Uid:[[:space:]]*//p' "/proc/$(pid)/status" | tr '\\t' ' '; }
        export SECRET=1
        as "$place/fsr" run vm --memory 16M --duty 20 --reserve 512K >/dev/null
        fsr status vm >/dev/null && fsr check vm >/dev/null && fsr pause vm >/dev/null && fsr resume vm >/dev/null &&
          fsr ledger >/dev/null && fsr recover vm >/dev/null; echo "works $?"
        fsr handoff vm --max-downtime 5s --fault source:race:kill,destination:verify:kill --json |
          sed 's/.*"victor":"\\([a-z]*\\)".*/\\1/'
        rights; uid; tr '\\0' '\\n' < "/proc/$(pid)/environ" | grep -c SECRET; readlink "/proc/$(pid)/cwd"
        as "$place/fsr" handoff vm --max-downtime 5s --json | sed 's/.*"victor":"\\([a-z]*\\)".*/\\1/'
        rights; uid
        fsr history vm --json | grep -o '"victor":"[a-z]*"'
        blocks=$(readlink "$place/run/vm/blocks"); ls -d "$blocks" >/dev/null
        find "$place/run" "$blocks" -not -user \(Self.user)
        fsr stop vm >/dev/null; echo "stop $?"
        ls "$place/run"; ls -d "$blocks" 2>/dev/null
        """)
      let (line, uid) = ("Inh  Prm  Eff  Amb ", Array(repeating: Self.user, count: 4).joined(separator: " "))
      let expected =
        "works 0\nsuccessor\n\(line)\n\(uid)\n0\n/\ndestination\n\(line)\n\(uid)\n\"victor\":\"source\"\n\"victor\":\"successor\"\n"
        + "\"victor\":\"destination\"\nstop 0\n"
      return result.output == expected ? [] : ["\(result)"]
    }
  }

  @Test(.enabled(if: OtherUser.canRunCommand, "only root becomes another user"))
  func rootIsLedNowhereByAUsersFolder() async {
    await Blocking.check {
      let result = try Self.other(
        """
        mine=/dev/shm/fsr-0-$$; mkdir -m 700 $mine && echo x > $mine/1 && echo y > $mine/secret
        as "$place/fsr" run vm --memory 16M --duty 1 >/dev/null; P=$(pid)
        old=$(readlink "$place/run/vm/blocks")
        kill -9 $P; while [ -e /proc/$P/exe ]; do sleep 0.02; done
        as rm "$place/run/vm/blocks"; as ln -s $mine "$place/run/vm/blocks"
        fsr stop vm 2>"$place/said"; echo "stop $?"; wc -l < "$place/said"; ls $mine | paste -sd' '
        as rm "$place/run/vm/blocks"; as ln -s $old "$place/run/vm/blocks"
        # The log of a user's VM leads to a file of root's, and another's process is in the lock.
        as ln -sf /etc/shadow "$place/run/vm/log"; fsr log vm >/dev/null 2>&1; echo "log $?"
        fsr stop vm >/dev/null; echo "stop $?"; ls "$place/run"; ls -d $old 2>/dev/null
        rm -r $mine
        """)
      let expected = "stop 1\n1\n1 secret\nlog 1\nstop 0\n"
      return result.output == expected ? [] : ["\(result)"]
    }
  }

  @Test(.enabled(if: OtherUser.canRunCommand && hasUserFault(), "only root becomes another user"))
  func rootsStopOfAUsersLostVMRemovesItsSwapFile() async {
    await Blocking.check {
      let result = try Self.other(
        """
        as "$place/fsr" run vm --memory 16M --resident 8M --compression 256K --swap "$place/run/swap" --duty 1 >/dev/null
        P=$(pid); kill -9 $P; while [ -e /proc/$P/exe ]; do sleep 0.02; done
        ls "$place/run" | paste -sd' '; fsr stop vm >/dev/null; echo "stop $?"; ls "$place/run"
        """)
      return result.output == "swap vm\nstop 0\n" ? [] : ["\(result)"]
    }
  }
}
