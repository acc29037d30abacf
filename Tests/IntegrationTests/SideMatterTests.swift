import FSRSystem
import FSRTestSupport
import Testing

/// Limits and signals that have nothing to do with a guest: it runs on, and what they forbid is said.
@Suite(.serialized) struct SideMatterTests {
  /// Runs a shell's `script` as a VM's operator, with `$VM` as its process once it calls `find`.
  private static func check(_ bad: borrowing BadInput, _ script: String, _ expected: [String]) throws {
    let result = try bad.shell(
      """
      fsr() { "$FSR" "$@" --runtime-dir "$VMS"; }
      status() { fsr status $NAME --json; }
      find() { VM=$(status | grep -o '"pid":[0-9]*' | head -1 | cut -d: -f2); }
      code() { grep -o '"code":"[a-z]*"' | head -1; }
      runs() { find; kill -0 $VM && status | grep -q '"state":"running"' && echo runs; }
      \(script)
      fsr stop $NAME > /dev/null || exit 94
      """)
    #expect(result.code == 0, "\(result)")
    #expect(result.output.split(separator: "\n").map(String.init) == expected, "\(result)")
    let left = try bad.remains().filter { !$0.contains(".ledger") }
    #expect(left.isEmpty)
  }

  /// What a guest says beyond the longest file that there may be is dropped, and counted.
  @Test(.enabled(if: GuestProgram.isClangThere)) func aConsoleFileThatIsFullEndsNoGuest() throws {
    let bad = try BadInput()
    let chatty = """
        bnez a0, 2f
        li s0, 0x10000000
        li t0, 65
      1: sb t0, 0(s0)
        j 1b
      2: j 2b
      """
    _ = try bad.file("guest", try GuestProgram.assemble(chatty))
    try Self.check(
      bad,
      """
      ( ulimit -f 2048; fsr run $NAME --guest guest --memory 1M --console con > /dev/null ) || exit 90
      for n in $(seq 600); do status | grep -q '"dropped_bytes":[1-9]' && break; sleep 0.1; done
      status | grep -q '"dropped_bytes":[1-9]' && echo dropped; stat -c %s con; runs; rm con
      """, ["dropped", "2097152", "runs"])
    try bad.place.directory.unlink("guest")
  }

  @Test func aHistoryThatMayNotGrowEndsNoGuest() throws {
    try Self.check(
      try BadInput(),
      """
      fsr run $NAME --memory 16M --duty 30 > /dev/null || exit 90; find
      prlimit --pid $VM --fsize=100:; fsr check $NAME --json | code; runs
      prlimit --pid $VM --fsize=unlimited:; fsr handoff $NAME --max-downtime 5s > /dev/null; echo $?; runs
      """, ["\"code\":\"limits\"", "runs", "0", "runs"])
  }

  /// A checkpoint's memory is longer.
  @Test(arguments: [4096, 65536]) func aFileSizeLimitIsALimit(bytes: Int) throws {
    try Self.check(
      try BadInput(),
      """
      fsr run $NAME --memory 16M --duty 30 > /dev/null || exit 90; find
      prlimit --pid $VM --fsize=\(bytes):
      fsr check $NAME --json > said; echo $?; code < said
      fsr handoff $NAME --json > said; c=$?; [ $c = 3 ] || [ $c = 4 ] && echo refused; code < said
      grep -q 'ulimit -f' said && echo named; runs
      prlimit --pid $VM --fsize=unlimited:; fsr check $NAME > /dev/null; echo $?; rm said
      """, ["3", "\"code\":\"limits\"", "refused", "\"code\":\"limits\"", "named", "runs", "0"])
  }

  /// Guest memory is longer than that, but nobody makes it anew.
  @Test func aFileSizeLimitAboveACheckpointHindersNoHandoff() throws {
    try Self.check(
      try BadInput(),
      """
      fsr run $NAME --memory 16M --duty 30 > /dev/null || exit 90; find
      prlimit --pid $VM --fsize=262144:
      fsr check $NAME > /dev/null; echo $?
      fsr handoff $NAME --max-downtime 5s > /dev/null; echo $?; runs
      """, ["0", "0", "runs"])
  }

  @Test func aCommandBeyondItsFileSizeLimitSaysSo() throws {
    try Self.check(
      try BadInput(),
      """
      ( ulimit -f 4; fsr run $NAME --memory 16M 2>&1 | grep -o 'ulimit -f'; exit ${PIPESTATUS[0]} ); echo $?
      fsr run $NAME --memory 16M --duty 30 > /dev/null || exit 90
      ( ulimit -f 4; fsr handoff $NAME 2>&1 | grep -o 'ulimit -f'; exit ${PIPESTATUS[0]} ); echo $?
      runs; fsr handoff $NAME --max-downtime 5s > /dev/null; echo $?
      """, ["ulimit -f", "3", "ulimit -f", "3", "runs", "0"])
  }

  /// Timers, limits of processor time, and whoever means somebody else.
  @Test func signalsThatMeanNothingEndNoGuest() throws {
    try Self.check(
      try BadInput(),
      """
      fsr run $NAME --memory 16M --duty 30 > /dev/null || exit 90
      all() { find; for s in PIPE HUP XFSZ XCPU USR1 USR2 ALRM VTALRM PROF IO PWR; do kill -$s $VM; done; sleep 0.2; runs; }
      all; fsr handoff $NAME --max-downtime 5s > /dev/null; echo $?; all
      """, ["runs", "0", "runs"])
  }

  /// A stack of threads does not depend on a limit of who started the VM.
  @Test(arguments: ["256", "unlimited"]) func aLimitOfTheStackEndsNoGuest(limit: String) throws {
    try Self.check(
      try BadInput(),
      """
      ( ulimit -s \(limit); fsr run $NAME --memory 16M --vcpus 2 --duty 30 > /dev/null ) || exit 90
      runs; fsr handoff $NAME --max-downtime 5s > /dev/null; echo $?; runs
      """, ["runs", "0", "runs"])
  }

  /// Where there may be no new thread, those that rested in a handoff go on.
  @Test(.enabled(if: OtherUser.canRunCommand, "root is under no limit of processes"))
  func aHandoffThatCameToNothingNeedsNoThread() throws {
    try Self.check(
      try BadInput(),
      """
      as="setpriv --reuid 54325 --regid 54325 --clear-groups"
      \(OtherUser.copy); mkdir -m 700 "$VMS" && chown 54325:54325 "$VMS"
      $as "$FSR" run $NAME --memory 16M --duty 30 --runtime-dir "$VMS" > /dev/null || exit 90; find
      threads() { for t in /proc/$VM/task/*; do echo "${t##*/} $(cat $t/comm)"; done 2> /dev/null | grep -v client; }
      before=$(threads)
      ( fsr handoff $NAME --fault source:stun:stop,destination:verify:kill --max-downtime 60s --timeout 60s \\
        > /dev/null 2>&1; echo $? ) &
      # All that rests does so by then, and the destination has its threads.
      for n in $(seq 600); do grep -q '^State:.*stopped' /proc/$VM/status && break; sleep 0.1; done
      prlimit --pid $VM --nproc=1:; kill -CONT $VM
      wait; for n in $(seq 100); do [ "$(threads)" = "$before" ] && break; sleep 0.1; done
      [ "$(threads)" = "$before" ] && echo same; prlimit --pid $VM --nproc=1000:; runs
      """, ["4", "same", "runs"])
  }
}
