import FSRSystem
import FSRTestSupport
import Testing

/// What a service manager sees of a VM, and does with it: a name, an exit status, a start after a crash.
@Suite(.serialized) struct ServiceLifeTests {
  private static let pid =
    "\"$FSR\" status $NAME --json --runtime-dir \"$VMS\" | grep -o '\"pid\":[0-9]*' | cut -d: -f2"

  @Test func theProcessIsCalledFsrBeforeAndAfterAHandoff() throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      "$FSR" run $NAME --memory 16M --duty 1 --runtime-dir "$VMS" > said || exit 90
      cat /proc/$(\(Self.pid))/comm
      "$FSR" handoff $NAME --max-downtime 5s --runtime-dir "$VMS" > said || exit 91
      cat /proc/$(\(Self.pid))/comm
      "$FSR" stop $NAME --runtime-dir "$VMS" > said; rm said
      """)
    #expect(result.code == 0 && result.output == "fsr\nfsr\n", "\(result)")
    #expect(try bad.remains().isEmpty)
  }

  @Test(.enabled(if: GuestProgram.isClangThere)) func theGuestsCodeIsTheExitStatusOfItsVMM() throws {
    let place = try TemporaryDirectory()
    let guest = try GuestProgram.assemble("li t0, 0x100000\nli t1, 0x73333\nsw t1, 0(t0)\n1:\nj 1b")
    try place.directory.openFile("guest", .createNew).write(guest)
    let script = """
      "$BYSTANDER" adopt "$FSR" run vm --guest guest --memory 1M --runtime-dir "$PWD/vms"; code=$?
      "$FSR" stop vm --runtime-dir "$PWD/vms" > /dev/null || exit 99; exit $code
      """
    let result = try BuiltCommand.shell(script.inFolder(place))
    #expect(result.code == 7, "\(result)")
  }

  @Test(arguments: ["\"$FSR\" stop $NAME --runtime-dir \"$VMS\"", "kill $(\(pid))"])
  func aVMThatIsStoppedHasEndedWell(stop: String) throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      "$BYSTANDER" adopt "$FSR" run $NAME --memory 16M --duty 1 --runtime-dir "$VMS" > said & all=$!
      until "$FSR" status $NAME --runtime-dir "$VMS" > said2 2>&1; do sleep 0.05; done
      \(stop) > said2; wait $all; code=$?; rm -f said said2; exit $code
      """)
    #expect(result.code == 0, "\(result)")
    #expect(try bad.remains().isEmpty)
  }

  @Test func onlyALostVMIsReplaced() throws {
    let bad = try BadInput()
    let result = try bad.shell(
      """
      run() { "$FSR" run $NAME --memory 16M --duty 1 --runtime-dir "$VMS" "$@" > said; echo $?; }
      run --replace-lost; first=$(\(Self.pid)); run --replace-lost
      kill -9 $first; while [ -e /proc/$first/fd/0 ]; do sleep 0.02; done
      run; run --replace-lost; [ $(\(Self.pid)) != $first ] || echo "the same process"
      "$FSR" stop $NAME --runtime-dir "$VMS" > said; rm said
      """)
    #expect(result.code == 0 && result.output == "0\n3\n3\n0\n", "\(result)")
    #expect(try bad.remains().isEmpty)
  }

  /// Nobody is there who could stop what it has begun.
  @Test func theVMOfADemoThatIsKilledEndsWithIt() async {
    await Blocking.check {
      let place = try TemporaryDirectory()
      let output = try place.directory.openFile("output", .append)
      let demo = try ChildProcess.spawn(
        executable: BuiltCommand.path(),
        arguments: ["fsr", "demo", "--memory", "32M", "--vcpus", "1", "--handoffs", "100000"],
        environment: BuiltCommand.environment(),
        inheriting: [.init(output.number, as: 1), .init(output.number, as: 2)])
      let mark = "FSR_ENDS_WITH=\(demo.pid):"
      var folder: String?
      // At work, and so past the start, of which nobody would know where it is killed.
      let begins = try TestVM.wait {
        folder = Self.processes(with: mark).lazy.compactMap(Self.folder).first
        let said = try place.directory.openFile("output", .read).readAll(limit: 1 << 20)
        return folder != nil && String(decoding: said, as: UTF8.self).contains("handoff 1:")
      }
      try demo.process.signal(SignalNumber.kill)
      _ = try demo.ended()
      let ends = TestVM.wait { Self.processes(with: mark).isEmpty }
      let isLeft = folder.map { (try? Directory.open($0)) != nil } ?? false
      return (begins ? [] : ["it begins nothing"]) + (ends ? [] : ["its VM runs on"])
        + (isLeft ? ["\(folder ?? "") is left"] : [])
    }
  }

  /// The processes that have a variable of their environment begin so.
  private static func processes(with mark: String) -> [String] {
    let all = (try? Directory.open("/proc").names(limit: 1 << 20)) ?? []
    return all.filter { name in
      guard name.allSatisfy(\.isNumber) else { return false }
      let bytes = (try? OwnedDescriptor.open("/proc/\(name)/environ", .read).readAll(limit: 1 << 20)) ?? []
      return bytes.split(separator: 0).contains { String(decoding: $0, as: UTF8.self).hasPrefix(mark) }
    }
  }

  /// The runtime folder of a demo's VMM, by what it has open.
  private static func folder(ofProcess pid: String) -> String? {
    guard let table = try? Directory.open("/proc/\(pid)/fd"), let names = try? table.names(limit: 4096) else {
      return nil
    }
    let prefix = "/dev/shm/fsr-demo-"
    let target = names.lazy.compactMap { try? table.readLink($0) }.first { $0.hasPrefix(prefix) }
    return target.map { $0.split(separator: "/").prefix(3).map { "/\($0)" }.joined() }
  }
}

extension String {
  /// The script, run in the folder of `place`.
  fileprivate func inFolder(_ place: borrowing TemporaryDirectory) -> String {
    "cd '\(place.path)' && \(self)"
  }
}
