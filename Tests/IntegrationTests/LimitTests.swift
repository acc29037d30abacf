import FSRSystem
import FSRTestSupport
import Testing

/// Limits and rights that leave no room for a handoff: said by their code before the guest is touched.
@Suite(.serialized) struct LimitTests {
  /// Runs one shell's `script` as a VM's operator, in which `$VM` is its process.
  private static func check(
    run: String = "\"$FSR\" run $NAME --memory 16M --duty 30 --runtime-dir \"$VMS\"", squeeze: String,
    code: String, says: String
  ) throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      \(run) || exit 90
      status() { "$FSR" status $NAME --json --runtime-dir "$VMS"; }
      VM=$(status | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
      before=$(ls /proc/$VM/fd | wc -l)
      \(squeeze) || exit 91
      "$FSR" check $NAME --json --runtime-dir "$VMS"; echo "check $?"
      "$FSR" handoff $NAME --json --runtime-dir "$VMS"; echo "handoff $?"
      $AS prlimit --pid $VM --nofile=1024:1024 || exit 92
      [ "$(status | grep -o '"pid":[0-9]*' | head -1)" = "\\"pid\\":$VM" ] || exit 93
      "$FSR" stop $NAME --runtime-dir "$VMS" || exit 94
      """)
    #expect(result.code == 0, "\(result)")
    #expect(result.output.contains("check 3\n"), "\(result)")
    #expect(result.output.contains("handoff 4\n") || result.output.contains("handoff 3\n"), "\(result)")
    let codes = result.output.split(separator: "\"code\":\"").dropFirst().map { $0.prefix { $0 != "\"" } }
    #expect(codes.map(String.init) == [code, code], "\(result)")
    #expect(result.output.contains(says), "\(result)")
    let left = try bad.remains().filter { !$0.contains(".ledger") }
    #expect(left.isEmpty)
  }

  private static func isRoot(_ what: String) -> Bool {
    if Host.effectiveUserID == 0 { return true }
    try? OwnedDescriptor.standardError().write(Array("SKIPPED: \(what): not root\n".utf8))
    return false
  }

  /// At whichever descriptor the limit is met: as a client comes, in the source, or in the destination.
  @Test(arguments: [0, 1, 2, 4, 6, 8, 10]) func tooFewDescriptorsAreALimit(spare: Int) throws {
    try Self.check(
      squeeze: "prlimit --pid $VM --nofile=$((before + \(spare))):1024", code: "limits", says: "open files")
  }

  /// What it cannot remove for itself, who stops it does.
  @Test(.enabled(if: hasUserFault()), arguments: ["/tmp", "/dev/shm"])
  func aVMMWithoutDescriptorsLeavesNothing(root: String) throws {
    let place = try TemporaryDirectory(under: root)
    let result = try BadInput().shell(
      """
      cd \(place.path); fsr() { "$FSR" "$@" --runtime-dir "$PWD/vms"; }
      fsr run $NAME --memory 16M --resident 4M --swap swap --duty 30 > said || exit 90
      blocks=$(readlink -f vms/$NAME/blocks)
      prlimit --pid $(fsr status $NAME --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2) --nofile=20 || exit 91
      [ -e swap ] && [ -d $blocks ] || exit 92
      fsr stop $NAME >> said || exit 93
      ls -A vms | grep -v '^[.]ledger'; [ ! -e $blocks ] || echo "$blocks is left"
      rm -rf vms said; ls -A
      """)
    #expect(
      result.output.isEmpty && result.errorLines.allSatisfy { $0.contains("lies on a tmpfs") }, "\(result)")
  }

  @Test func memoryThatMayNotBeLockedIsALimit() throws {
    guard Self.isRoot("limits of locked memory") else { return }
    // The right to lock without a limit is dropped; a block takes two pages, the reservation does not fit.
    try Self.check(
      run: """
        setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock "$FSR" run $NAME \
        --memory 16M --duty 30 --reserve 4M --runtime-dir "$VMS"
        """, squeeze: "prlimit --pid $VM --memlock=1048576:", code: "limits", says: "ulimit -l")
  }

  @Test func memoryThatMayNotBeLockedAtAllIsARight() throws {
    guard Self.isRoot("rights to lock memory") else { return }
    try Self.check(
      run: """
        setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock "$FSR" run $NAME \
        --memory 16M --duty 30 --runtime-dir "$VMS"
        """, squeeze: "prlimit --pid $VM --memlock=0:", code: "rights", says: "CAP_IPC_LOCK")
  }

  @Test(.enabled(if: OtherUser.canRunCommand, "root is under no limit of processes"))
  func aProcessTooManyIsALimit() throws {
    // No other process has this user.
    let user = "setpriv --reuid 54321 --regid 54321 --clear-groups"
    try Self.check(
      run: """
        \(OtherUser.copy); mkdir -m 700 "$VMS" && chown 54321:54321 "$VMS" && \
        \(user) "$FSR" run $NAME --memory 16M --duty 30 --runtime-dir "$VMS"
        """, squeeze: "AS=\"\(user)\"; $AS prlimit --pid $VM --nproc=1:", code: "limits", says: "processes")
  }

  /// Each of more clients than are served at once is told why it is not; whoever does what is said is served.
  @Test(
    .enabled(if: OtherUser.canRunCommand, "root is under no limit of processes"),
    arguments: ["nproc=1", "nofile=$before"])
  func whoeverComesUnderALimitIsToldAndLeavesNothingBehind(limit: String) throws {
    let bad = try BadInput()
    let user = "setpriv --reuid 54323 --regid 54323 --clear-groups"
    let result = try bad.shell(
      """
      \(OtherUser.copy); mkdir -m 700 "$VMS" && chown 54323:54323 "$VMS"
      as="\(user)"; fsr() { "$FSR" "$@" $NAME --runtime-dir "$VMS"; }
      $as "$FSR" run $NAME --memory 16M --duty 30 --runtime-dir "$VMS" > said || exit 90
      VM=$(fsr status --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
      before=$(ls /proc/$VM/fd | wc -l)
      $as prlimit --pid $VM --\(limit): || exit 91
      for n in $(seq 40); do fsr pause > said 2>&1; echo "$?"; grep -oE 'prlimit|ulimit' said | head -1; done | sort | uniq -c
      $as $(grep -oE 'prlimit --pid [0-9]+ --[a-z]+=[0-9]+' said | head -1) || exit 92
      fsr status --json | grep -o '"vcpus":\\[' ; fsr pause > /dev/null; echo "pause $?"
      rm said; fsr stop > /dev/null; echo "stop $?"
      """)
    let lines = result.output.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " } }
    #expect(result.code == 0 && lines.suffix(3) == ["\"vcpus\":[", "pause 0", "stop 0"], "\(result)")
    #expect(lines.contains("40 1"), "\(result)")
  }

  /// Swift ends a process that has no room for what it makes: what is large is asked of the kernel first.
  @Test(arguments: [70, 80]) func tooSmallAnAddressSpaceIsALimitOfANewVM(mebibytes: Int) throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      ulimit -v \(mebibytes * 1024); exec "$FSR" run $NAME --memory 16M --vcpus 2 --runtime-dir "$VMS"
      """)
    #expect(result.code == 3 && result.errors.contains("ulimit -v"), "\(result)")
    let left = try bad.remains()
    #expect(left.isEmpty)
  }

  /// What is enough for a VM is enough for the next VMM of it.
  @Test func aDestinationTakesNoMoreAddressSpaceThanItsSource() throws {
    let result = try BadInput().shell(
      """
      fsr() { "$FSR" "$@" $NAME --runtime-dir "$VMS"; }
      ( ulimit -v 409600; exec "$FSR" run $NAME --memory 16M --duty 5 --runtime-dir "$VMS" ) > said || exit 90
      for n in 1 2; do fsr check > said 2>&1; echo "check $?"; fsr handoff --max-downtime 5s > said 2>&1; echo "handoff $?"; done
      fsr stop > said; rm said
      """)
    #expect(result.output == String(repeating: "check 0\nhandoff 0\n", count: 2), "\(result)")
  }

  @Test func aLedgerThatSomebodyHoldsIsALock() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "30", "--reserve", "4M"])
      var findings: [String] = []
      do {
        let lock = try Directory.open(vm.runtime).openFile(".ledger.lock", .readWriteCreating)
        if try !lock.tryLock() { findings.append("the lock is held") }
        for command in ["check", "handoff"] {
          let (code, answer) = try vm.answer(command)
          let codes = answer["blockers"]?.elements.map { $0["code"]?.text ?? "-" }
          if code != 3 || codes != ["locks"] { findings.append("\(command): \(code as Any) \(answer)") }
        }
      }
      let (code, answer) = try vm.answer("handoff", ["--max-downtime", "5s"])
      if code != 0 { findings.append("the next handoff: \(answer)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }
}
