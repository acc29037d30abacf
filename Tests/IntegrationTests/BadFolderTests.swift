import FSRSystem
import FSRTestSupport
import Testing

/// Runtime folders that cannot be used, or are hard to use.
@Suite struct BadFolderTests {
  private static let run = "\"$FSR\" run $NAME --memory 1M --runtime-dir"

  private static func isRefused(_ result: BuiltCommand.Result) -> Bool {
    result.code == 3 && result.complainsOnce && result.output.isEmpty
      && result.errors.contains("--runtime-dir")
  }

  @Test func anothersFolderIsRefused() throws {
    guard Host.effectiveUserID == 0 else {
      try OwnedDescriptor.standardError().write(Array("SKIPPED: another's runtime folder: not root\n".utf8))
      return
    }
    let bad = try BadInput()
    let result = try bad.shell(
      "mkdir vms && chown 4242 vms && \(Self.run) vms; code=$?; chown 0 vms; exit $code")
    #expect(Self.isRefused(result) && result.errors.contains("4242"), "\(result)")
  }

  @Test(arguments: [
    "mkdir vms && chmod 777 vms", "ln -s . link && VMS=link", "touch file && VMS=file",
    "VMS=none/none", "VMS=", "VMS=$'\\e[2J/none'", "VMS=/proc/self/none", "VMS=$(printf 'd%.0s' {1..300})",
    "VMS=$(printf 'd/%.0s' {1..2500})",
  ])
  func whatIsNoFolderOfOnesOwnIsRefused(preparation: String) throws {
    let bad = try BadInput()
    let result = try bad.shell("\(preparation) && \(Self.run) \"$VMS\"; code=$?; rm -f link file; exit $code")
    #expect(Self.isRefused(result), "\(result)")
    let left = try bad.remains()
    #expect(left.isEmpty)
  }

  @Test func whatIsNoFolderHasNoVMs() throws {
    let bad = try BadInput()
    for command in [
      "list", "status $NAME", "stop $NAME", "handoff $NAME", "recover $NAME", "pause $NAME", "resume $NAME",
    ] {
      let result = try bad.shell(
        "touch file; \"$FSR\" \(command) --json --runtime-dir file; code=$?; rm file; exit $code")
      #expect(result.code == 3 && result.complainsOnce && result.answersOnce, "\(command): \(result)")
    }
  }

  @Test func aVMsFolderThatIsReadOnlyIsToldByNameAndRemedy() async {
    guard BadInput.hasPrivateMounts else { return }
    await Blocking.check {
      let vm = try TestVM()
      try vm.run(["--memory", "16M", "--duty", "30"])
      let folder = "\(vm.runtime)/\(vm.name)"
      let result = try BuiltCommand.shell(
        """
        unshare --user --map-root-user --mount bash -c 'mount --make-rprivate / && mount --bind \(folder) \(folder) &&
          mount -o remount,ro,bind \(folder) && "$FSR" check \(vm.name) --json --runtime-dir \(vm.runtime)'
        """)
      var findings: [String] = []
      let blocker = try JSONValue(parsing: result.output)["blockers"]?.elements.first
      if result.code != 3 || blocker?["code"]?.text != "rights"
        || !result.errors.contains("mount it for writing")
      {
        findings.append("\(result)")
      }
      return findings + (try vm.stopped())
    }
  }

  @Test func aFolderThatCannotBeWrittenIsRefused() throws {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    let result = try bad.privateShell(
      "mkdir vms && mount -t tmpfs -o mode=700 tmpfs vms && mount -o remount,ro tmpfs vms && \(Self.run) vms")
    #expect(result.code == 3 && result.complainsOnce && result.output.isEmpty, "\(result)")
  }

  @Test func aFullDiskIsRefusedWhereverItFillsUp() throws {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    // A page of the disk more each time; then an inode more: it fills up at another step of the start.
    let full = (0...6).map { "size=1m,mode=700 \(256 - $0)" } + (2...9).map { "nr_inodes=\($0),mode=700 0" }
    for options in full {
      let parts = options.split(separator: " ")
      let result = try bad.privateShell(
        """
        mkdir -p vms; mount -t tmpfs -o \(parts[0]) tmpfs vms || exit 99
        head -c $((\(parts[1]) * 4096)) /dev/zero > vms/filler 2> /dev/null; before=$(ls -A vms)
        \(Self.run) vms; code=$?
        if [ $code = 0 ]; then "$FSR" stop $NAME --runtime-dir vms || exit 98; fi
        [ "$(ls -A vms)" = "$before" ] || { echo "LEFT in vms:" $(ls -AR vms); }
        umount -l vms; exit $code
        """)
      let isGood = result.code == 0 && result.errors.isEmpty
      #expect(isGood || result.code == 3 && result.complainsOnce, "\(options): \(result)")
      #expect(!result.output.contains("LEFT"), "\(options): \(result)")
    }
    let left = try ProcessTable.machines(named: bad.name)
    #expect(left.isEmpty)
  }

  @Test func aFullSharedMemoryIsRefused() throws {
    guard BadInput.hasPrivateMounts else { return }
    let bad = try BadInput()
    let result = try bad.privateShell(
      """
      mount -o remount,size=64k tmpfs /dev/shm; head -c 64k /dev/zero > /dev/shm/filler
      \(Self.run) "$VMS"; code=$?; rm /dev/shm/filler; exit $code
      """)
    #expect(result.code == 3 && result.complainsOnce && result.output.isEmpty, "\(result)")
    let left = try bad.remains()
    #expect(left.isEmpty)
  }

  @Test func aDeepFolderWorks() throws {
    let bad = try BadInput(depth: 4)
    #expect(bad.runtime.utf8.count > 450)
    let name = bad.name + String(repeating: "n", count: 64 - bad.name.utf8.count)
    for arguments in [
      ["run", name, "--memory", "1M"], ["status", name], ["handoff", name, "--max-downtime", "5s"],
      ["pause", name],
      ["resume", name],
      ["recover", name], ["list"], ["stop", name],
    ] {
      let result = try bad.fsr(arguments + ["--json"])
      #expect(result.code == 0 && result.errors.isEmpty && result.answersOnce, "\(arguments): \(result)")
    }
    let left = try bad.remains()
    #expect(left.isEmpty)
  }
}
