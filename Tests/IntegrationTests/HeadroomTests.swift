import FSRSystem
import FSRTestSupport
import Testing

/// Memory that is too little for two VMMs: the one that has the guest is never the one to go.
@Suite(.serialized) struct HeadroomTests {
  private static func score(of pid: Int32) throws -> String {
    let file = try OwnedDescriptor.open("/proc/\(pid)/oom_score_adj", .read)
    return String(decoding: try file.readAll(limit: 64), as: UTF8.self)
  }

  /// A destination that stands at `step`, and what both VMMs' scores are before and after it was let go.
  private static func findings(at step: String) throws -> [String] {
    let vm = try TestVM()
    let place = try TemporaryDirectory()
    try vm.run(["--memory", "16M", "--duty", "30"])
    let first = Int32(try vm.status()["pid"]?.number ?? 0)
    let before = try score(of: first)
    var findings: [String] = []
    let output = try place.directory.openFile("output", .append)
    let handoff = try vm.startHandoff(
      ["--timeout", "60s", "--max-downtime", "60s", "--fault", "destination:\(step):stop"], output: output)
    let isStanding = try TestVM.wait { try vm.machines().values.contains(.stopped) }
    let other = try vm.machines().keys.first { $0 != first } ?? 0
    let (meanwhile, own) = (try score(of: other), try score(of: first))
    if !isStanding || meanwhile != "1000\n" || own != before {
      findings.append("at \(step) it is \(meanwhile)")
    }
    try vm.letGo()
    let status = try handoff.ended()
    let after = try score(of: other)
    if status != .exited(0) || after != before { findings.append("\(status as Any), \(after) for \(before)") }
    return findings + (try vm.stopped().map { "left behind: \($0)" })
  }

  @Test(arguments: ["negotiate", "prepare"]) func aDestinationIsTheFirstToGoUntilItHasTheGuest(
    step: String
  ) async {
    await Blocking.check { try Self.findings(at: step) }
  }

  /// Who is done for, and lingers, makes room for whoever has the guest.
  @Test(arguments: ["park", "leave"]) func aSourceWithoutItsGuestIsTheFirstToGo(step: String) async {
    await Blocking.check {
      let vm = try TestVM()
      let place = try TemporaryDirectory()
      try vm.run(["--memory", "16M", "--duty", "30"])
      let first = Int32(try vm.status()["pid"]?.number ?? 0)
      let before = try Self.score(of: first)
      let output = try place.directory.openFile("output", .append)
      // The victor stands too, ahead of its ending who lingers.
      let faults = "source:\(step):stop,destination:reap:stop"
      let handoff = try vm.startHandoff(
        ["--timeout", "60s", "--max-downtime", "60s", "--fault", faults], output: output)
      let isStanding = try TestVM.wait { try vm.machines().values.filter { $0 == .stopped }.count == 2 }
      let meanwhile = try Self.score(of: first)
      var findings =
        isStanding && meanwhile == "1000\n" ? [] : ["at \(step) it is \(meanwhile), and was \(before)"]
      try vm.letGo()
      let status = try handoff.ended()
      if status != .exited(0) { findings.append("handoff ended with \(status as Any)") }
      return findings + (try vm.stopped().map { "left behind: \($0)" })
    }
  }

  /// As a user without rights too, who may not lower a score that is lower than it was.
  @Test(.enabled(if: OtherUser.canRunCommand, "root may lower every score"))
  func anOrdinaryUsersDestinationTooIsWhatItsSourceWas() throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      as="setpriv --reuid 54326 --regid 54326 --clear-groups"
      \(OtherUser.copy); mkdir -m 700 "$VMS" && chown 54326:54326 "$VMS"
      fsr() { $as "$FSR" "$@" --runtime-dir "$VMS"; }
      score() { cat /proc/$(fsr status $NAME --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)/oom_score_adj; }
      ( echo 55 > /proc/$BASHPID/oom_score_adj; fsr run $NAME --memory 16M --duty 30 > /dev/null ) || exit 90
      for n in 1 2; do score; fsr handoff $NAME --max-downtime 5s > /dev/null || exit 91; done; score
      fsr stop $NAME > /dev/null
      """)
    #expect(result.code == 0 && result.output == "55\n55\n55\n", "\(result)")
  }

  /// Where memory runs out in the midst of a handoff the kernel ends whom it is told to: the guest lives on.
  @Test func ofTwoVMMsInAGroupWithoutRoomTheGuestsOwnStays() throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      if [ -e /sys/fs/cgroup/memory/memory.usage_in_bytes ]; then
        C=/sys/fs/cgroup/memory/fsr-$NAME; used=memory.usage_in_bytes; limit=memory.limit_in_bytes; none=-1
      else
        C=/sys/fs/cgroup/fsr-$NAME; used=memory.current; limit=memory.max; none=max
      fi
      { mkdir $C && [ -w $C/cgroup.procs ] && [ -e $C/$limit ]; } 2> /dev/null \
        || { rmdir $C 2> /dev/null; echo SKIPPED: no group with a limit of memory can be made here; exit 0; }
      fsr() { "$FSR" "$@" $NAME --runtime-dir "$VMS"; }
      state() { cut -d' ' -f3 /proc/$1/stat 2> /dev/null; }
      ( echo $BASHPID > $C/cgroup.procs; exec "$FSR" run $NAME --memory 16M --duty 30 --runtime-dir "$VMS" ) > said
      # All of its memory is there by then, and it grows no more.
      for n in $(seq 600); do fsr status --json | grep -q '"passes":[1-9]' && break; sleep 0.1; done
      VM=$(fsr status --json | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2)
      fsr handoff --timeout 120s --fault destination:prepare:stop > said 2>&1 & handoff=$!
      for n in $(seq 6000); do
        other=$(grep -vx $VM $C/cgroup.procs | head -1)
        [ -n "$other" ] && [ "$(state $other)" = T ] && break; sleep 0.01
      done
      echo $(( $(cat $C/$used) + 4 * 1048576 )) > $C/$limit
      ( echo $BASHPID > $C/cgroup.procs; eaten=
        for n in $(seq 400); do
          case "$(state $other)" in T) ;; *) break ;; esac
          printf -v more %262144s; eaten+=$more
        done )
      echo $none > $C/$limit
      wait $handoff; echo "handoff $?"; grep -o 'the destination died\\|destination ended' said | head -1
      fsr status --json > said; grep -q ":$VM," said && echo same; grep -o '"state":"running"' said
      fsr stop > /dev/null; rm said
      for n in $(seq 100); do rmdir $C 2> /dev/null && break; sleep 0.1; done
      """)
    if result.output.hasPrefix("SKIPPED") {
      try OwnedDescriptor.standardError().write(Array(result.output.utf8))
      return
    }
    let lines = result.output.split(separator: "\n")
    #expect(
      lines.first == "handoff 4" && lines.count == 4 && lines.last == "\"state\":\"running\"", "\(result)")
  }

  /// In a control group whose limit leaves room for one: refused before anything is started, and the guest runs.
  @Test func aGroupWithoutRoomRefusesASecondVMM() throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      C=/sys/fs/cgroup/memory/fsr-$NAME
      { mkdir $C && [ -w $C/cgroup.procs ]; } 2> /dev/null || { echo SKIPPED: no memory cgroup can be made here; exit 0; }
      fsr() { "$FSR" "$@" --runtime-dir "$VMS"; }
      ( echo $BASHPID > $C/cgroup.procs; exec "$FSR" run $NAME --memory 32M --duty 30 --runtime-dir "$VMS" ) > /dev/null
      # All of the guest's memory is there by then, and it grows no more.
      for n in $(seq 600); do fsr status $NAME --json > before; grep -q '"passes":[1-9]' before && break; sleep 0.1; done
      # What the group has of files it could give back.
      echo 0 > $C/memory.force_empty
      echo $(( $(cat $C/memory.usage_in_bytes) + 3 * 1048576 )) > $C/memory.limit_in_bytes
      for command in check handoff; do
        fsr $command $NAME --json > said; echo $?; grep -o '"code":"[a-z]*"' said | head -1; grep -o "$C has room" said | head -1
      done
      # Where a limit is met all the same, the guest stays.
      fsr status $NAME --json | grep -o '"state":"[a-z]*"' | head -1
      echo -1 > $C/memory.limit_in_bytes; fsr check $NAME > /dev/null; echo $?
      fsr stop $NAME > /dev/null; rm said
      for n in $(seq 100); do rmdir $C 2> /dev/null && break; sleep 0.1; done
      """)
    if result.output.hasPrefix("SKIPPED") {
      try OwnedDescriptor.standardError().write(Array(result.output.utf8))
      return
    }
    let refusal = ["\"code\":\"headroom\"", "/sys/fs/cgroup/memory/fsr-\(bad.name) has room"]
    #expect(result.code == 0, "\(result)")
    #expect(
      result.output.split(separator: "\n").map(String.init)
        == ["3"] + refusal + ["3"] + refusal + ["\"state\":\"running\"", "0"], "\(result)")
  }
}
