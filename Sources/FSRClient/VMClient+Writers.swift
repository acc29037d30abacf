internal import FSRHandoff
public import FSRHost
internal import FSRSystem

extension VMClient {
  /// Files of one VM at most: its console's and its swap file.
  private static let fileLimit = 8
  /// How long a VMM may take to say which they are, in nanoseconds: nothing is looked at where it does not.
  public static let filesTimeout: UInt64 = 5_000_000_000

  /// That another process has a file open for writing that goes with the VM; nil where none is seen, or the VMM does
  /// not say which files these are.
  ///
  /// The source looks for itself too, but one that root has started may look into few processes.
  ///
  /// - Parameter limit: nanoseconds that the VMM may take to say which files these are.
  public static func writers(of folder: borrowing VMFolder, within limit: UInt64 = filesTimeout) -> Blocker? {
    // Who takes part in a handoff may have them.
    guard let block = try? newestBlock(of: folder), block.state.isDecided, block.owner?.isStopped != true
    else {
      return nil
    }
    let parties = Party.allCases.flatMap { block.identities(of: $0).map(\.pid) }
    guard let files = try? askForFiles(folder, within: min(limit, filesTimeout)),
      let refusal = try? HandoffError.writers(
        of: files, at: Array(0..<files.count), besides: Set(parties))
    else { return nil }
    return Blocker(.writers, refusal.reason)
  }

  /// None where the VMM hangs up, as one does that does not know the question.
  private static func askForFiles(_ folder: borrowing VMFolder, within limit: UInt64) throws -> DescriptorBag
  {
    let socket = try UnixSocket.connect(in: folder.directory, name: VMFiles.socket, timeout: limit)
    try socket.send(ControlVerb.files.encoded)
    guard
      var answer = try socket.receive(
        limit: UnixSocket.messageLimit, maximumDescriptors: fileLimit, timeout: limit)
    else { return DescriptorBag() }
    return answer.descriptors.takeAll()
  }
}
