import FSRTestSupport
import Testing

/// Guests on a machine with two memory nodes, which is emulated: what one node cannot show.
///
/// Skipped, and said so, where there is no QEMU for x86, no static busybox or no kernel for it (`.ci/run` gets them).
@Suite(.serialized, .enabled(if: TwoNodeMachine.isThere, "see what is SKIPPED above"))
struct TwoNodeTests {
  /// Prints `VM:WHEN:WHAT value`, as many lines as there are values. Node 0 has processors 0 and 1, node 1 has 2 and 3.
  private static let script = """
    export FSR_RUNTIME_DIR=/run/fsr
    word() { sed -n "s/.*\\"$1\\":\\(\\"\\([a-z]*\\)\\"\\|\\[[0-9,]*\\]\\|[0-9]*\\).*/\\1/p"; }
    look() {
      pid=$(fsr status $1 --json | word pid)
      for policy in $(grep memfd:fsr-ram /proc/$pid/numa_maps | cut -d' ' -f2 | sort -u); do echo "$1:$2:policy $policy"; done
      grep memfd:fsr-ram /proc/$pid/numa_maps | grep -o 'N[0-9]=' | sort -u | while read n; do echo "$1:$2:pages $n"; done
      for task in /proc/$pid/task/*; do
        case $(cat $task/comm) in
        vcpu*) echo "$1:$2:cpus $(sed -n 's/^Cpus_allowed_list:.//p' $task/status)";;
        esac
      done
      echo "$1:$2:numa $(fsr status $1 --json | grep -o '"numa":{[^}]*}')"
      echo "$1:$2:reserved $(fsr ledger --json | grep -o '"reserved":[0-9]*' | cut -d: -f2 | paste -sd' ')"
    }
    # In an emulator on a busy machine a party may count as hung: that is not what is asked here.
    hand() {
      for attempt in 1 2 3 4 5; do
        fsr handoff $1 --timeout 60s --max-downtime 30s >/dev/null 2>/tmp/errors; code=$?
        [ $code = 4 ] || break
        echo "called off: $(cat /tmp/errors)"
      done
      echo "$1:handoff:code $code"
    }
    fsr run one --duty 5 --memory 16M --vcpus 2 --numa 1 --reserve 8M >/dev/null
    look one before; hand one; hand one; look one after; fsr stop one >/dev/null
    fsr run both --duty 5 --memory 16M --vcpus 2 --numa 0-1 --reserve 1028K >/dev/null
    look both before; hand both; look both after
    fsr run full --memory 300M --numa 1 --reserve 300M 2>/tmp/errors; echo "full:run:code $?"; cat /tmp/errors
    fsr stop both >/dev/null
    fsr run three --numa 0,2 2>/tmp/errors; echo "three:run:code $?"; cat /tmp/errors
    taskset -c 0 fsr run away --numa 1 2>/tmp/errors; echo "away:run:code $?"; cat /tmp/errors
    echo 4 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages
    fsr run huge --duty 5 --memory 8M --page-size 2m --numa 1 >/dev/null; look huge before; hand huge; look huge after; fsr stop huge >/dev/null
    fsr run none --memory 8M --page-size 2m --numa 0 2>/tmp/errors; echo "none:run:code $?"; cat /tmp/errors
    ls -A /run/fsr
    """

  @Test func guestsLieAndStayWhereTheyWerePut() async {
    let result = await Blocking.run { try? TwoNodeMachine.run(Self.script) }
    let lines = (result?.output ?? "").split(separator: "\n").map(String.init)
    let bound = [
      "policy bind:1", "pages N1=", "cpus 2-3", #"numa "numa":{"nodes":[1],"policy":"bind"}"#,
    ]
    let spread = [
      "policy interleave:0-1", "pages N0=", "pages N1=", "cpus 0-3",
      #"numa "numa":{"nodes":[0,1],"policy":"interleave"}"#,
    ]
    // The ledger's sums: node 0, node 1, and all; 1028K are 257 pages, of which node 0 has one more.
    var expected: Set<String> = ["one:handoff:code 0", "both:handoff:code 0", "huge:handoff:code 0"]
    for time in ["before", "after"] {
      for line in bound + ["reserved 0 8388608 8388608"] { expected.insert("one:\(time):\(line)") }
      for line in bound + ["reserved 0 0 0"] { expected.insert("huge:\(time):\(line)") }
      for line in spread + ["reserved 528384 524288 1052672"] { expected.insert("both:\(time):\(line)") }
    }
    for name in ["full", "three", "away", "none"] { expected.insert("\(name):run:code 3") }
    let deadline = lines.filter { $0.hasPrefix("called off: ") }
    if !deadline.isEmpty { print(deadline.joined(separator: "\n")) }
    let said = lines.filter { !$0.hasPrefix("fsr: ") && !$0.hasPrefix(".ledger") && !deadline.contains($0) }
    #expect(result?.code == 0 && Set(said) == expected, "\(String(describing: result))")
    let refusals = lines.filter { $0.hasPrefix("fsr: ") }
    let reasons = [
      "on node 1 are reserved already", "memory node 2 is not there", "not allowed any processor",
      "on node 0",
    ]
    #expect(
      refusals.count == reasons.count && zip(refusals, reasons).allSatisfy { $0.contains($1) }, "\(refusals)")
  }
}
