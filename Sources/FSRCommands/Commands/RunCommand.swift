internal import ArgumentParser
internal import FSRClient
internal import FSRHandoff
internal import FSRHost
internal import FSRMachine
internal import FSRState
internal import FSRSystem

/// `fsr run`
struct RunCommand: AnsweringCommand, Interruptible, InRuntimeFolder {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Start a VM.",
    discussion: """
      Returns when the guest runs. With --foreground it ends with the guest instead: 0 when the guest says that \
      all is well, else 1; Ctrl-C stops the VM. A guest that asks for a reset starts anew. The guest is a RISC-V program for QEMU's `virt` board, or the \
      built-in soak guest, which checks its own memory and measures the gaps in its time.

      Examples:
        fsr run web
        fsr run big --memory 4G --vcpus 2 --duty 20
        fsr run sure --memory 4G --reserve 1G
        fsr run wide --memory 4G --resident 1G --swap /var/vms/wide
        fsr run hello --guest hello.elf --foreground
        fsr run near --nic tap=tap0,mac=02:00:00:00:00:01 --nic tap=tap1,queues=4,echo
      """)

  enum CPU: String, CaseIterable, ExpressibleByArgument { case auto, soft }

  enum PageSize: String, CaseIterable, ExpressibleByArgument {
    case small = "4k"
    case huge = "2m"

    /// As sizes are typed elsewhere too: `2M` is as good.
    init?(argument: String) { self.init(rawValue: argument.lowercased()) }
  }

  @OptionGroup var subjectName: NameArgument
  @Option(
    help: ArgumentHelp("RAM, such as 512M or 4G. (default: 256M)", valueName: "size"),
    transform: ByteSize.init(parsing:))
  var memory = ByteSize(256 * ByteSize.mebi)
  @Option(
    help: ArgumentHelp(
      "RAM that the host keeps resident and promises nobody else; `fsr ledger` counts it. (default: none)",
      valueName: "size"), transform: ByteSize.init(parsing:))
  var reserve: ByteSize?
  @OptionGroup var paging: PagingOptions
  @Option(help: ArgumentHelp("Size of RAM's pages; 2m takes huge ones, all at once.", valueName: "size"))
  var pageSize = PageSize.small
  @Option(
    help: ArgumentHelp(
      "Memory nodes of the host for RAM and vCPUs, such as 0 or 0-1,3. (default: any)", valueName: "nodes"))
  var numa: String?
  @Option(help: ArgumentHelp("vCPUs, 1 to \(VMConfiguration.vcpuLimit).", valueName: "count")) var vcpus = 1
  @Option(
    help: ArgumentHelp(
      "The VMM's executable: another build, or one of another kind, which need not know every option. (default: this one)",
      valueName: "binary"), completion: .file())
  var vmm: String?
  @Option(help: "What runs the guest's instructions.") var cpu = CPU.auto
  @Option(help: ArgumentHelp("`soak`, or the path of an ELF.", valueName: "guest"), completion: .file())
  var guest = "soak"
  @Option(help: ArgumentHelp("Share of the time that the soak guest works.", valueName: "percent"))
  var duty = 100
  @Option(
    help: ArgumentHelp("File that the guest's console is appended to.", valueName: "file"),
    completion: .file())
  var console: String?
  @Option(
    help: ArgumentHelp(
      "A tap that the VM has and takes along; again for each, up to \(TapPort.limit). Behind commas: mac=ADDRESS, queues=NUMBER, mtu=BYTES, offloads=on, echo. The guest has no network card yet: frames are counted and dropped, or with echo answered with their addresses swapped.",
      valueName: "tap=name"), transform: NICOption.init(parsing:))
  var nic: [NICOption] = []
  @Flag(help: "End the VM when the guest asks for a reset, instead of starting it anew.")
  var noReboot = false
  @Flag(help: "Take the place of a VM of this name that is lost, as a service does that is started again.")
  var replaceLost = false
  @Flag(help: "Stay until the guest ends; without --console its console is standard output.")
  var foreground = false
  @OptionGroup var runtime: RuntimeOptions
  @OptionGroup var output: OutputOptions

  var subject: String? { subjectName.name.description }

  func validate() throws {
    guard memory.bytes >= BoardMap.smallestRAM, memory.bytes <= BoardMap.largestRAM,
      memory.bytes % StatusAnswer.pageSize == 0
    else {
      throw ValidationError(
        "'--memory' is \(ByteSize(BoardMap.smallestRAM)) to \(ByteSize(BoardMap.largestRAM)), in whole pages of 4K\(memory.reading)"
      )
    }
    if let reserve {
      guard reserve.bytes <= memory.bytes, reserve.bytes % StatusAnswer.pageSize == 0 else {
        throw ValidationError("'--reserve' is at most '--memory', in whole pages of 4K\(reserve.reading)")
      }
    }
    guard pageSize == .small || memory.bytes % VMConfiguration.hugePageSize == 0 else {
      throw ValidationError("with '--page-size 2m' '--memory' is a multiple of 2M")
    }
    let limit = try paging.configuration(memory: memory.bytes, reserve: reserve?.bytes ?? 0)
    guard pageSize == .small || limit == nil else {
      throw ValidationError("pages of 2m are never swapped: leave '--resident' out")
    }
    if let numa {
      guard let nodes = NodeSet(parsing: numa), VMConfiguration.isInReach(nodes) else {
        throw ValidationError(
          "'--numa' is numbers of memory nodes and ranges of them, such as 0 or 0-1,3, at most "
            + "\(VMConfiguration.nodeReach - 1) apart")
      }
    }
    guard vcpus >= 1, vcpus <= VMConfiguration.vcpuLimit else {
      throw ValidationError("'--vcpus' is 1 to \(VMConfiguration.vcpuLimit)")
    }
    if console == "" { throw ValidationError("'--console' names a file") }
    guard duty >= 1, duty <= 100 else { throw ValidationError("'--duty' is 1 to 100") }
    if let obstacle = TapPort.obstacle(to: nic.map(\.port)) { throw ValidationError("'--nic': \(obstacle)") }
  }

  static func blank(name: String?, reason: String) -> StatusAnswer {
    StatusAnswer(name: name, reason: reason)
  }

  func lines(of reply: StatusAnswer) -> [String] {
    // With --foreground standard output is the guest's.
    foreground
      ? []
      : [
        "\(subjectName.name): running as process \(reply.pid ?? 0); `fsr status \(subjectName.name)` tells more"
      ]
  }

  func perform() throws -> Outcome<StatusAnswer> {
    // Before anything else, so that every thread started later leaves the signals to it.
    let interruption = try Interruption()
    // The VMM goes by them: refused before anything is made.
    let limits = try HandoffLimits.ofEnvironment()
    let runtime = try runtime.open(creating: true)
    let pid = try start(in: runtime, interruption)
    let folder = try runtime.vm(subjectName.name.description)
    var reply = StatusAnswer(name: subject)
    reply.pid = pid
    if let status = try? VMClient.status(of: folder) { reply = StatusAnswer(status) }
    guard foreground else {
      guard interruption.hasCome else { return Outcome(reply) }
      // Whoever did not want to wait for it may not want it at all.
      return Outcome(reply, try wayOut(nil, of: folder, limits, interruption))
    }
    let end = try VMLife.waitForEnd(of: folder) { interruption.hasCome }
    return Outcome(reply, try wayOut(end, of: folder, limits, interruption))
  }

  private func start(in runtime: borrowing RuntimeDirectory, _ interruption: Interruption) throws -> Int32 {
    var configuration = VMConfiguration(
      name: subjectName.name.description, memory: memory.bytes, vcpus: vcpus, guest: guest, duty: duty)
    configuration.endsOnReset = noReboot
    configuration.reserve = reserve?.bytes ?? 0
    configuration.nodes = numa.flatMap { NodeSet(parsing: $0) }
    configuration.hasHugePages = pageSize == .huge
    configuration.paging = try paging.configuration(memory: memory.bytes, reserve: configuration.reserve)
    var image: OwnedDescriptor?
    if !configuration.isSoak {
      do { image = try OwnedDescriptor.openPlainFile(guest) } catch {
        throw Failure(.refused, "the guest cannot be read: \(error); name an ELF file with --guest")
      }
    }
    var file: OwnedDescriptor?
    if console == nil, foreground, !output.json {
      configuration.console = "standard output"
      do { file = try ConsoleFile.standardOutput() } catch let error as Failure { throw error } catch {
        throw Failure(.refused, "standard output cannot be had: \(error)")
      }
    }
    let written = try console.map { path throws(Failure) in try ConsoleFile(path) }
    if let written {
      configuration.console = written.path
      do { file = try written.open() } catch let error as Failure { throw error } catch {
        throw Failure(
          .refused,
          "the console file cannot be opened: \(error); name a file, or a pipe that is read, with --console")
      }
    }
    do {
      let pid = try VMLauncher.start(
        configuration, in: runtime, image: image, console: file, ports: nic.map(\.port),
        executable: try vmm.map(WorkingDirectory.absolute), replacingLost: replaceLost
      ) { interruption.hasCome }
      if let swap = configuration.paging?.swap { SwapPlace.warn(of: swap) }
      return pid
    } catch {
      written?.withdraw()
      guard interruption.hasCome else { throw error }
      throw Failure(
        .failed,
        "interrupted by \(interruption.name); \(configuration.name) was not started, and nothing of it is left"
      )
    }
  }

  /// Why a guest that was waited for is no success; the VM's folder goes with it.
  private func wayOut(
    _ end: GuestEnd?, of folder: borrowing VMFolder, _ limits: HandoffLimits, _ interruption: Interruption
  ) throws -> Failure? {
    let name = folder.name
    guard let end else {
      if interruption.hasCome {
        try VMClient.stop(folder, limits: limits)
        return Failure(.failed, "interrupted by \(interruption.name); \(name) was stopped")
      }
      let isStopped = (try? runtime.folder(of: subjectName.name)) == nil
      return isStopped
        ? Failure(.failed, "\(name) was stopped")
        : Failure(.lost, "\(name) is lost: its VMM is gone; `fsr stop \(name)` clears up")
    }
    try VMClient.stop(folder, limits: limits)
    return Failure(end, of: name)
  }
}
