internal import FSRHandoff
internal import FSRHost
internal import FSRSystem

/// A folder that somebody has copied while its VM ran: its files lead to what is that VM's.
extension VMClient {
  /// How long a VMM may take to its end that has let go of its folder already, in nanoseconds.
  private static let exitLimit: UInt64 = 2_000_000_000

  /// - Throws: `VMError` `refused` where the VM that the folder's files name runs in another one: who ended or cleared this
  ///   one would end that.
  static func checkIsNoCopy(_ folder: borrowing VMFolder) throws(VMError) {
    switch VMPresence.look(at: folder) {
    case .lives, .unknown: return
    case .gone, .nothing: break
    }
    guard let owner = ((try? newestBlock(of: folder)) ?? nil)?.owner,
      let process = (try? ProcessDescriptor.open(owner)) ?? nil,
      let isHeld = try? folder.directory.isHeld(by: owner.pid), !isHeld,
      (try? process.waitForExit(timeout: exitLimit)) == false
    else { return }
    let path = folder.path
    throw VMError(
      .refused,
      "\(path) is a copy of the folder of a VM that runs as process \(owner.pid), and its files lead to what is that VM's; "
        + "`rm -r \(path)` removes the copy")
  }
}
