import FSRSystem
import FSRTestSupport
import Testing

/// What is in a runtime folder and not fsr's: nothing of it is touched, followed or waited for.
@Suite struct ForeignFolderTests {
  private static func expectDone(_ bad: borrowing BadInput, _ script: String) throws {
    let result = try bad.shell("set -u; mkdir -m 700 -p vms; vm=vms/$NAME\n\(script)\nrmdir vms; exit 0")
    #expect(result.code == 0, "\(result)")
    let left = try bad.remains()
    #expect(left.isEmpty)
  }

  @Test func aFolderOfFilesIsNoVMs() throws {
    try Self.expectDone(
      try BadInput(),
      """
      mkdir $vm; echo x > $vm/thesis.tex; export FSR_RUNTIME_DIR=$PWD/vms
      "$FSR" run $NAME --memory 1M 2>said; [ $? = 3 ] && [ $(wc -l < said) = 1 ] || exit 90
      grep -q thesis.tex said || exit 91
      for command in stop status check handoff recover abort pause resume history log; do
        "$FSR" $command $NAME 2>said; [ $? = 7 ] && [ $(wc -l < said) = 1 ] || { echo $command; cat said; exit 92; }
      done
      [ "$("$FSR" list --json)" = '{"vms":[]}' ] || exit 93
      [ "$(ls -A $vm) $(cat $vm/thesis.tex)" = "thesis.tex x" ] || exit 94
      rm -r $vm said
      """)
  }

  @Test func whatSomebodyPutsIntoAVMsFolderOutlivesTheVM() throws {
    try Self.expectDone(
      try BadInput(),
      """
      export FSR_RUNTIME_DIR=$PWD/vms
      "$FSR" run $NAME --memory 16M --duty 1 > /dev/null || exit 90
      mkdir $vm/papers; echo x > $vm/papers/thesis.tex; echo y > $vm/notes
      "$FSR" handoff $NAME --max-downtime 5s > /dev/null || exit 91
      "$FSR" stop $NAME 2> said; [ $? = 1 ] && [ $(wc -l < said) = 1 ] || { cat said; exit 92; }
      grep -q notes said && grep -q papers said || exit 93
      [ "$(cd $vm && echo *) $(cat $vm/papers/thesis.tex $vm/notes | paste -sd' ')" = "notes papers x y" ] || exit 94
      "$FSR" stop $NAME 2> said; [ $? = 7 ] || exit 95
      "$FSR" run $NAME --memory 16M 2> said; [ $? = 3 ] || exit 96
      rm -r $vm said
      """)
  }

  @Test func theRuntimeFolderMayBeNamedInAnyWay() throws {
    try Self.expectDone(
      try BadInput(),
      """
      mkdir -m 700 vms/beside; cd vms
      for name in . ./ ./. ../vms ../vms/ ../vms/. "$PWD/../vms//" beside/.. beside/../; do
        "$FSR" run $NAME --memory 1M --duty 1 --runtime-dir $name > /dev/null || { echo "run $name"; exit 90; }
        "$FSR" list --json --runtime-dir $name | grep -q '"name":"'$NAME'"' || { echo "list $name"; exit 91; }
        "$FSR" stop $NAME --runtime-dir $name > /dev/null || { echo "stop $name"; exit 92; }
        [ "$(ls -A)" = beside ] || { echo "left $name"; exit 93; }
      done
      rmdir beside; cd ..
      """)
  }

  @Test(.enabled(if: Host.effectiveUserID == 0, "the root folder is root's"))
  func theHostsOwnFoldersAreNoVMs() throws {
    let result = try BuiltCommand.run(["list", "--json", "--runtime-dir", "/"])
    #expect(result.code == 0 && result.output == "{\"vms\":[]}\n" && result.errors.isEmpty, "\(result)")
    let stop = try BuiltCommand.run(["stop", "etc", "--runtime-dir", "/"])
    #expect(stop.code == 7 && stop.complainsOnce, "\(stop)")
  }

  /// As builds have left it that did root's work with root's rights in anybody's folder.
  @Test(.enabled(if: OtherUser.canRunCommand, "only root makes VMs of two users"))
  func aVMOfRootsInAUsersFolderIsEndedAsItIsSaid() throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      \(OtherUser.copy)
      mkdir -m 700 "$VMS"; "$FSR" run $NAME --memory 16M --duty 1 --runtime-dir "$VMS" > /dev/null || exit 90
      chown 54326 "$VMS"; as="setpriv --reuid 54326 --regid 54326 --clear-groups"
      for who in "" "$as"; do
        for command in status stop check handoff recover "run --memory 16M --duty 1"; do
          $who "$FSR" $command $NAME --runtime-dir "$VMS" 2> said; code=$?
          [ "$who$command" = "run --memory 16M --duty 1" ] && continue
          [ $code = 3 ] && [ $(wc -l < said) = 1 ] && grep -q "belongs to user 0" said || { cat said; exit 91; }
        done
      done
      grep -o '`kill [^`]*`' said | tr -d '\\140' > remedy; [ -s remedy ] || { cat said; exit 92; }
      bash remedy || exit 93
      for n in $(seq 600); do [ -e "$VMS/$NAME" ] || break; sleep 0.1; done
      $as "$FSR" run $NAME --memory 16M --duty 1 --runtime-dir "$VMS" > said && \
        "$FSR" stop $NAME --runtime-dir "$VMS" > said || { cat said; exit 94; }
      rm -f said remedy fsr
      """)
    #expect(result.code == 0, "\(result)")
    #expect(try bad.remains().isEmpty)
  }

  private static let odd = [
    "mkfifo", "ln -s /dev/zero", "mkdir", "ln -s . ", "truncate -s 1T", "printf x >",
    "ln -s /dev/shm/fsr-0-123",
  ]

  /// Each file of a VM's folder and of the runtime folder, as what it never is.
  @Test(arguments: odd) func whateverAFileIsEveryCommandEndsAndSaysWhy(making: String) throws {
    try Self.expectDone(
      try BadInput(),
      """
      export FSR_RUNTIME_DIR=$PWD/vms
      for file in $vm/control.sock $vm/lock $vm/log $vm/history $vm/ended $vm/swap $vm/swap-next $vm/swap-old \
        $vm/blocks vms/.ledger vms/.ledger.lock vms/.ledger.new; do
        rm -rf $vm vms/.ledger*; mkdir -m 700 $vm; echo "fsr VM 1" > $vm/vm; \(making) $file
        for command in "status $NAME" "history $NAME" "log $NAME --last 1" "recover $NAME" list ledger \
          "run $NAME --memory 1M --duty 1 --reserve 64K" "stop $NAME"; do
          timeout 60 "$FSR" $command > /dev/null 2> said; code=$?
          [ $code -lt 8 ] || [ $code = 64 ] && [ $(wc -l < said) -le 1 ] ||
            { echo "$command with $file: $code"; cat said; exit 90; }
          if [ "${command%% *}" = run ] && [ $code = 0 ]; then
            timeout 60 "$FSR" stop $NAME > /dev/null 2>&1 || { echo "stop after run with $file: $?"; exit 91; }
            mkdir -m 700 $vm; echo "fsr VM 1" > $vm/vm; rm -rf $file; \(making) $file
          fi
        done
      done
      rm -rf $vm vms/.ledger* said
      """)
  }
}
