import FSRSystem
import FSRTestSupport
import Testing

/// Refusals of which each says what helps: done as told, the command succeeds.
@Suite(.serialized) struct RemedyTests {
  /// A refusal. `advised NUMBER` does what stands in that pair of backticks of it, as it
  /// can be typed.
  struct Row: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Leads to the refusal, in a shell.
    let before: String
    let command: String
    /// As a pattern of the shell.
    let code: String
    /// Of the refusal: what is to be done.
    let says: String
    let remedy: String
    /// Where it is not the same command that is to succeed.
    var again: String?
  }

  private static let web = "run --memory 16M --duty 5"
  private static let pid = "grep -o '\"pid\":[0-9]*' | head -1 | cut -d: -f2"

  static let rows: [Row] = [
    Row(
      testDescription: "a name in use", before: "fsr \(web)", command: web, code: "3",
      says: "end that VM with `",
      remedy: "advised 1"),
    Row(
      testDescription: "the name of a lost VM", before: "fsr \(web); kill -9 $(vm)", command: web, code: "3",
      says: "clears it", remedy: "advised 1"),
    Row(
      testDescription: "a lost VM", before: "fsr \(web); kill -9 $(vm)", command: "status", code: "6",
      says: "clears up", remedy: "advised 1", again: web),
    Row(
      testDescription: "a VMM that a signal has stopped", before: "fsr \(web); kill -STOP $(vm)",
      command: "handoff --max-downtime 5s", code: "3", says: "lets it go on", remedy: "advised 1"),
    Row(
      testDescription: "a check of one", before: "fsr \(web); kill -STOP $(vm)", command: "check", code: "3",
      says: "lets it go on", remedy: "advised 1"),
    Row(
      testDescription: "a handoff in which the source stands still",
      before: "fsr \(web); fsr handoff --timeout 3s --max-downtime 60s --fault source:saveCheckpoint:stop",
      command: "recover", code: "5", says: "lets it go on", remedy: "advised 1"),
    Row(
      testDescription: "an earlier handoff that nobody settles",
      before: """
        fsr \(web); fsr handoff --max-downtime 60s --fault source:race:stop,destination:verify:stop,coordinator:watch:kill
        until [ "$(stopped)" = 2 ]; do sleep 0.05; done
        """,
      command: "handoff --max-downtime 5s", code: "3", says: "run `", remedy: "advised 1"),
    Row(
      testDescription: "another handoff under way",
      before: """
        fsr \(web); bg handoff --timeout 60s --max-downtime 60s --fault destination:prepare:stop
        until [ "$(stopped)" = 1 ]; do sleep 0.05; done
        """,
      command: "handoff --max-downtime 5s", code: "3", says: "call it off with `", remedy: "advised 1"),
    Row(
      testDescription: "a control socket that is gone", before: "fsr \(web); rm \"$VMS/$NAME/control.sock\"",
      command: "check", code: "3", says: "ends the VM", remedy: "advised 1", again: web),
    Row(
      testDescription: "control blocks that are gone",
      before: "fsr \(web); rm -r $(readlink \"$VMS/$NAME/blocks\")",
      command: "check", code: "3", says: "ends it", remedy: "advised 1", again: web),
    Row(
      testDescription: "a newest block that is spoilt",
      before: "fsr \(web); truncate -s 100 \"$VMS/$NAME/blocks\"/*", command: "check", code: "3",
      says: "ends the VM",
      remedy: "advised 1", again: web),
    Row(
      testDescription: "too few descriptors of a command", before: "fsr \(web); ulimit -S -n 9",
      command: "check",
      code: "1|3", says: "raise the limit of open files (ulimit -n", remedy: "ulimit -n 1024"),
    Row(
      testDescription: "too few descriptors of a VMM",
      before: "fsr \(web); prlimit --pid $(vm) --nofile=$(ls /proc/$(vm)/fd | wc -l):",
      command: "handoff --max-downtime 5s",
      code: "3", says: "prlimit --pid", remedy: "advised 1"),
    Row(
      testDescription: "files of a VMM that may not grow",
      before: "fsr \(web); prlimit --pid $(vm) --fsize=100:",
      command: "check", code: "3", says: "prlimit --fsize", remedy: "prlimit --pid $(vm) --fsize=unlimited"),
    Row(
      testDescription: "files of a command that may not grow", before: "fsr \(web); ulimit -S -f 1",
      command: "check", code: "3", says: "ulimit -f", remedy: "ulimit -f unlimited"),
    Row(
      testDescription: "too small an address space", before: "ulimit -S -v 71680", command: web, code: "3",
      says: "ulimit -v", remedy: "ulimit -v unlimited"),
    Row(
      testDescription: "too full a ledger", before: "mkdir -m 700 vms; fsr0 ledger --capacity 4M",
      command: "\(web) --reserve 5M", code: "3",
      says: "raise the capacity with `", remedy: "eval \"$(advice 1 | sed s/SIZE/8M/)\""),
    Row(
      testDescription: "a ledger that is damaged",
      before: "mkdir -m 700 vms; fsr0 ledger --capacity 8M; echo x > \"$VMS/.ledger\"",
      command: "\(web) --reserve 1M", code: "3", says: "makes it anew", remedy: "advised 1"),
    Row(
      testDescription: "a console file of another VM",
      before: "exec 9>> con", command: "\(web) --console con", code: "3", says: "name another with --console",
      remedy: ":", again: "\(web) --console con2"),
    Row(
      testDescription: "a folder that is not fsr's",
      before: "mkdir -p -m 700 \"$VMS/$NAME\"; echo x > \"$VMS/$NAME/thesis\"",
      command: web, code: "3", says: "use another name or --runtime-dir",
      remedy: "VMS=$PWD/vms2"),
    Row(
      testDescription: "a runtime folder that is open to others", before: "mkdir -m 777 vms; chmod 777 vms",
      command: web,
      code: "3", says: "name one of your own with --runtime-dir", remedy: "VMS=$PWD/vms2"),
    Row(
      testDescription: "no such VMM", before: "fsr \(web)", command: "handoff --to nothing", code: "3",
      says: "name a VMM with --to", remedy: ":", again: "handoff --max-downtime 5s --to $FSR"),
    Row(
      testDescription: "a program that is no VMM", before: "fsr \(web)", command: "handoff --to /bin/true",
      code: "4",
      says: "name a VMM with --to", remedy: ":", again: "handoff --max-downtime 5s --to $FSR"),
    Row(
      testDescription: "too little time", before: "fsr \(web)", command: "handoff --timeout 1ms", code: "3",
      says: "allow more with --timeout", remedy: ":", again: "handoff --max-downtime 5s --timeout 60s"),
    Row(
      testDescription: "no swap file to be copied", before: "fsr \(web)",
      command: "handoff --swap mirrored --swap-file next", code: "3", says: "leave --swap mirrored out",
      remedy: ":",
      again: "handoff --max-downtime 5s"),
    Row(
      testDescription: "a size without a unit", before: ":", command: "run --memory 256", code: "64",
      says: "not 256M",
      remedy: ":", again: "run --memory 256M --duty 5"),
    Row(
      testDescription: "a command that is misspelt", before: "fsr \(web)", command: "lst", code: "64",
      says: "did you mean `", remedy: "advised 1", again: "status"),
    Row(
      testDescription: "a VM that is not there", before: "fsr \(web)", command: "status -x nothing",
      code: "7",
      says: "shows those that are", remedy: "advised 1 | grep -q $NAME", again: "status"),
  ]

  private static let functions = """
    # The first word is the command; NAME and folder come behind it.
    fsr() {
      local command=$1; shift
      case $command in
        lst) "$FSR" lst ;;
        *) if [ "$1" = -x ]; then "$FSR" $command $2 --runtime-dir "$VMS"
           else "$FSR" $command $NAME "$@" --runtime-dir "$VMS"; fi ;;
      esac
    }
    fsr0() { "$FSR" "$@" --runtime-dir "$VMS"; }
    vm() { fsr status --json | \(pid); }
    stopped() { pgrep -c -r T -f "^fsr vmm $NAME( |\\$)"; }
    bg() { fsr "$@" > under.way 2>&1 & }
    advice() { grep -o '`[^`]*`' refused | sed -n "$1p" | tr -d '`' | sed 's|^fsr|"$FSR"|'; }
    advised() { eval "$(advice $1)"; }
    """

  private static func script(_ row: Row) -> String {
    """
    \(functions)
    { \(row.before)
    } > before 2>&1
    fsr \(row.command) > refused 2>&1; code=$?
    case $code in \(row.code)) ;; *) echo "it ends with $code"; cat before refused ;; esac
    grep -qF '\(row.says)' refused || { echo "it does not say so"; cat before refused; }
    { \(row.remedy)
    } > done 2>&1 || { echo "what is advised fails"; cat refused done; }
    for n in 1 2 3 4 5; do fsr \(row.again ?? row.command) > again 2>&1 && break; sleep 1; done
    [ $n = 5 ] && { echo "it fails all the same"; cat refused again; }
    fsr status > state 2>&1 || { echo "it is not there"; cat refused done again state; }
    fsr stop > end 2>&1 || { echo "it cannot be stopped"; cat end; }
    wait
    rm -rf before refused done again state end con con2 under.way vms vms2
    """
  }

  @Test(arguments: rows) func whatIsAdvisedHelps(_ row: Row) throws {
    let result = try BadInput().shell(Self.script(row))
    #expect(result.output.isEmpty, "\(result)")
  }
}
