import FSRSystem
import FSRTestSupport
import Testing

/// A VM whose newest control block was removed while an older one lies there still, which names the dead alone.
@Suite(.serialized) struct LeftBlockTests {
  @Test(arguments: [true, false]) func itIsNotCalledLost(hasSocket: Bool) async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "1"])
      guard let path = vm.blocksPath() else { return ["no blocks"] }
      let blocks = try Directory.open(path)
      let old = try vm.blockNames()
      guard let first = old.first, old.count == 1 else { return ["the blocks are \(old)"] }
      let bytes = try blocks.openFile(first, .read).readAll(limit: 65536)
      let handoff = try vm.fsr(["handoff", vm.name])
      if handoff.code != 0 { return ["handoff: \(handoff)"] }
      guard let pid = try vm.machines().keys.first else { return ["no VMM"] }
      for name in try vm.blockNames() { try blocks.unlink(name) }
      try blocks.openFile(first, .createNew).write(bytes)
      if !hasSocket { try Directory.open("\(vm.runtime)/\(vm.name)").unlink("control.sock") }

      var findings: [String] = []
      for command in ["handoff", "check", "recover", "abort"]
        + (hasSocket ? [] : ["status", "pause", "resume"])
      {
        let result = try vm.fsr([command, vm.name])
        let words = ["removed the newest", "`fsr stop \(vm.name) --runtime-dir"]
        if result.code != 3 || !words.allSatisfy(result.errors.contains) {
          findings.append("\(command): \(result)")
        }
      }
      if hasSocket {
        let (code, status) = try vm.answer("status")
        if code != 0 || status["pid"]?.number != Double(pid) { findings.append("status: \(status)") }
      }
      let again = try vm.fsr(["run", vm.name, "--memory", "16M", "--replace-lost"])
      if again.code != 3 { findings.append("run: \(again)") }
      if try vm.machines().keys.sorted() != [pid] { findings.append("the VMMs are \(try vm.machines())") }
      let stop = try vm.fsr(["stop", vm.name])
      if stop.code != 0 { findings.append("stop: \(stop)") }
      return findings + (try vm.remains())
    }
  }

  /// With neither a socket nor a block that can be read nobody answers, and `stop` ends it all the same.
  @Test func aSpoiltBlockAndNoSocketKeepNobodyFromStopping() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "1", "--reserve", "4M"])
      guard let path = vm.blocksPath(), let newest = try vm.blockNames().last else { return ["no blocks"] }
      try Directory.open("\(vm.runtime)/\(vm.name)").unlink("control.sock")
      try Directory.open(path).openFile(newest, .append).write(Array(repeating: 7, count: 12000))
      let stop = try vm.fsr(["stop", vm.name])
      return (stop.code == 0 ? [] : ["stop: \(stop)"]) + (try vm.remains())
    }
  }

  /// As in a container that is given a boot id of its own (systemd-nspawn).
  @Test func anotherBootIDTakesNoReservationFromAVMThatRuns() async {
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "1", "--reserve", "4M"])
      let script = """
        cat /proc/sys/kernel/random/uuid > "$FSR_RUNTIME_DIR/id" &&
        unshare -m sh -c 'mount --bind "$FSR_RUNTIME_DIR/id" /proc/sys/kernel/random/boot_id || exit 99
        "$FSR" ledger --json; "$FSR" recover "$NAME"; echo "code $?"'; code=$?; rm "$FSR_RUNTIME_DIR/id"; exit $code
        """
      let result = try BuiltCommand.shell(
        script,
        environment: [
          "NAME=\(vm.name)", "FSR_RUNTIME_DIR=\(vm.runtime)", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        ])
      var findings: [String] = []
      if result.code == 99 || result.errors.contains("unshare") {
        try OwnedDescriptor.standardError().write(Array("SKIPPED: a boot id of its own: \(result)\n".utf8))
      } else {
        if !result.output.contains("code 3") { findings.append("recover: \(result)") }
        if !result.output.contains("\"reserved\":4194304") { findings.append("ledger there: \(result)") }
      }
      let ledger = try vm.fsr(["ledger", "--json"])
      if !ledger.output.contains("\"reserved\":4194304") { findings.append("ledger here: \(ledger)") }
      return findings + (try vm.stopped())
    }
  }
}
