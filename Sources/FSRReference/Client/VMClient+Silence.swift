internal import FSRHandoff
internal import FSRSystem

/// A VMM that lives and does not answer as it should.
extension VMClient {
  /// Why nobody answers for the VM `name`, whose owner lives.
  static func silence(of name: String, _ owner: ProcessIdentity) -> String {
    "the VMM of \(name) does not answer: \(owner.standstill), and `fsr stop \(name)` ends the VM"
  }

  /// - Throws: `VMError` `other` where a signal has stopped the VM's owner, so that it is of no use to ask again.
  static func checkIsNotStopped(_ folder: borrowing VMFolder) throws(VMError) {
    let newest: ControlBlock?
    do throws(VMError) { newest = try newestBlock(of: folder) } catch {
      guard try isLost(folder, behind: error) else { throw error }
      return
    }
    guard let owner = newest?.owner, owner.isStopped else { return }
    throw VMError(.other, silence(of: folder.name, owner))
  }

  /// Limits that prlimit(1) raises of a process that runs, as reasons name them.
  private static let limits = ["nofile", "nproc"]

  /// What raises the limit that `reason` names, of the process `pid`; nil where it names none of those.
  private static func remedy(_ reason: String, of pid: Int32) -> String? {
    limits.first { reason.contains("prlimit --\($0) ") }.map { ", here `prlimit --pid \(pid) --\($0)=4096`" }
  }

  /// What a VMM says that turns somebody away for want of something, as descriptors; nil for any other answer. One of an
  /// older build, which does not know what it was asked, names nothing that is wanting.
  static func refusal(_ answer: [UInt8], of folder: borrowing VMFolder) -> VMError? {
    guard let message = try? Message(decoding: answer), case .refused(let reason, let code?) = message else {
      return nil
    }
    let pid = ((try? newestBlock(of: folder)) ?? nil)?.owner?.pid
    let process = pid.map { " (process \($0))" } ?? ""
    let remedy = code == .limits ? pid.flatMap { Self.remedy(reason, of: $0) } ?? "" : ""
    return VMError(.other, "the VMM of \(folder.name)\(process) turns everybody away: \(reason)\(remedy)")
  }
}
