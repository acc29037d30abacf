internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// A VMM that lives and does not answer as it should.
extension VMClient {
  /// Why nobody answers for the VM in `folder`, whose owner lives.
  static func silence(of folder: borrowing VMFolder, _ owner: ProcessIdentity) -> String {
    let name = folder.name
    if folder.hasLostItsSocket { return HandoffError.socketIsGone(of: name).description }
    return "the VMM of \(name) does not answer: \(owner.standstill), and `fsr stop \(name)` ends the VM"
  }

  /// How long a VM that is being stopped may have no socket and be there, in nanoseconds.
  private static let socketless: UInt64 = 500_000_000
  private static let socketLook: UInt64 = 10_000_000

  /// - Throws: `VMError` `other` where somebody has removed the VM's control socket, so that it is of no use to ask again.
  static func checkSocketIsThere(_ folder: borrowing VMFolder) throws(VMError) {
    let deadline = MonotonicClock.now() + socketless
    while folder.hasLostItsSocket, !folder.isRemoved {
      guard MonotonicClock.now() < deadline else {
        throw VMError(.other, HandoffError.socketIsGone(of: folder.name).description)
      }
      MonotonicClock.sleep(socketLook)
    }
  }

  /// - Throws: `VMError` `other` where a signal has stopped the VM's owner, so that it is of no use to ask again.
  static func checkIsNotStopped(_ folder: borrowing VMFolder) throws(VMError) {
    let newest: ControlBlock?
    do throws(VMError) { newest = try newestBlock(of: folder) } catch {
      guard try isLost(folder, behind: error) else { throw error }
      return
    }
    guard let owner = newest?.owner, owner.isStopped else { return }
    throw VMError(.other, silence(of: folder, owner))
  }

  /// What a VMM says that turns somebody away for want of something, as descriptors; nil for any other answer. One of an
  /// older build, which does not know what it was asked, names nothing that is wanting.
  static func refusal(_ answer: [UInt8], of folder: borrowing VMFolder) -> VMError? {
    guard let message = try? Message(decoding: answer), case .refused(let why) = message, why.code != nil
    else {
      return nil
    }
    // It is there for everything else.
    if why.code == .unsupported { return VMError(.refused, why) }
    let pid = ((try? newestBlock(of: folder)) ?? nil)?.owner?.pid
    let process = pid.map { " (process \($0))" } ?? ""
    return VMError(.other, why.causing("the VMM of \(folder.name)\(process) turns everybody away"))
  }
}
