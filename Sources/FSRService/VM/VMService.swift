internal import FSRHandoff
internal import FSRHost
internal import FSRState
internal import FSRSystem
internal import Synchronization

/// A VM's process, once it owns the guest: it answers on the control socket, hands the guest over, and ends when the guest
/// does, when it is told to, or when the guest is elsewhere.
final class VMService: Sendable {
  /// How far the end of a guest that has ended itself has come.
  enum Ended {
    case no
    /// Its last words are being written.
    case underWay
    /// The folder says that it has ended.
    case toldOf
  }

  let vm: any ManagedVM
  let context: VMContext
  let build: String
  let limits: HandoffLimits
  let ownership: Ownership
  let control: ControlServer
  let reservation: ReservationKeeper
  let history: HistoryKeeper
  let restart: GuestRestart
  let isStopping = OneWayFlag()
  let ended = Mutex(Ended.no)
  /// Wakes the loop of `run`.
  private let event: EventDescriptor

  /// Nothing here may fail: in a destination the guest runs already.
  ///
  /// - Parameters:
  ///   - block: by which the guest is here.
  ///   - limits: how long it waits for others in the handoffs that it is asked for.
  init(
    _ vm: any ManagedVM, _ context: VMContext, on listener: Owned<UnixSocket>, block: ControlBlock,
    build: String, limits: HandoffLimits, event: consuming EventDescriptor
  ) {
    self.vm = vm
    self.context = context
    self.build = build
    self.limits = limits
    self.event = event
    ownership = Ownership(by: block)
    control = ControlServer(on: listener, log: context.log)
    reservation = ReservationKeeper(of: vm, context, ownership)
    history = HistoryKeeper(in: context.folder, of: ownership, build: build, log: context.log)
    restart = GuestRestart(of: vm, context, history)
    context.ending.listen { [weak self] in self?.wakeLoop() }
  }

  var log: ServiceLog { context.log }

  func wakeLoop() { try? event.signal() }

  func startAccepting() {
    control.startAccepting()
    wakeLoop()
  }

  // MARK: the loop

  private enum Token {
    static let event = 0
    static let signal = 1
    static let client = 2
    static let companion = 3
  }

  /// How long a handoff may take to give the guest back to a VM that is to end, before the guest is given up; and once
  /// more, before the process ends as it is. In nanoseconds, as is how often that is looked at. Longer than a
  /// destination that has won waits for its source.
  private var giveUpLimit: UInt64 { limits.reap + Self.giveUpMargin }
  private static let giveUpMargin: UInt64 = 2_000_000_000
  private static let giveUpPollInterval: UInt64 = 50_000_000
  /// How often it is looked whether the VM's folder is still there, in nanoseconds.
  private static let folderPollInterval: UInt64 = 10_000_000_000

  /// Serves until the process is to end. The guest runs already.
  ///
  /// - Parameter signals: those that end the VM, taken before the first vCPU thread was started: one that does
  ///   not block them would die of them.
  /// - Returns: how the guest ended itself; nil where the VM was stopped.
  func run(signals: borrowing SignalDescriptor) throws -> GuestEnd? {
    vm.begin()
    control.begin()
    var giveUpAt = UInt64.max
    let runtime = runtimeFolder
    var companion = Companion.find()
    if case .gone = companion { loseCompanion() }
    var hasFolder = true
    while true {
      var poller = Poller()
      poller.watch(event.descriptor, token: Token.event)
      if case .lives(let process) = companion {
        poller.watch(process.value.descriptor, token: Token.companion)
      }
      poller.watch(signals.descriptor, token: Token.signal)
      if control.hasRoom { poller.watch(control.listener.value.descriptor, token: Token.client) }
      let isWaiting = isStopping.isUp && ownership.current != nil
      let tally = [
        history.resets.wait(at: MonotonicClock.now()), restart.retry,
        hasFolder ? Self.folderPollInterval : nil,
      ]
      .compactMap { $0 }.min()
      let ready = try poller.wait(timeout: isWaiting ? Self.giveUpPollInterval : tally)
      if ready.contains(Token.event) { _ = try event.clear() }
      if ready.contains(Token.signal), let number = try signals.next() {
        log.notice("told to stop by \(SignalNumber.name(of: number))")
        isStopping.raise()
      }
      if ready.contains(Token.companion) {
        companion = .gone
        loseCompanion()
      }
      history.tellDueResets()
      if isAtEnd() {
        if case .gone = companion { RuntimeDirectory.removeEmpty(at: runtime) }
        return toldEnd
      }
      if hasFolder, context.folder.value.isRemoved {
        hasFolder = false
        context.log.error("somebody has removed the VM's folder: the guest runs on, and `fsr stop` ends it")
      }
      if isStopping.isUp {
        giveUpAt = min(giveUpAt, MonotonicClock.now() + giveUpLimit)
        if ownership.current != nil { giveUpHandoff(at: giveUpAt) }
      }
      if ready.contains(Token.client) {
        control.accept(serve: { [self] in serve($0) }, then: { [self] in wakeLoop() })
      }
    }
  }

  private func loseCompanion() {
    log.notice("the process that the VM is to end with is gone")
    isStopping.raise()
    wakeLoop()
  }

  /// The path of the runtime folder, as long as the VM's own is there.
  var runtimeFolder: String {
    "/" + context.folder.value.path.split(separator: "/").dropLast().joined(separator: "/")
  }

  /// Ends a handoff that does not give the guest back, as where somebody has written over its word: the VM is to end.
  private func giveUpHandoff(at time: UInt64) {
    let now = MonotonicClock.now()
    if now < time { return }
    ownership.giveUp()
    // A successor may run the guest: what this process holds of it is not its own any more.
    guard now - time >= giveUpLimit, ownership.current?.state != .successor else { return }
    log.error("the handoff under way does not end, and this process does without waiting for it")
    ServiceProcess.leave()
  }
}
