internal import ArgumentParser
internal import FSRClient
internal import FSRHost
internal import FSRSystem

/// What `fsr run` takes for a guest that is larger than its memory.
struct PagingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("RAM that may be resident; the rest is swapped. (default: all)", valueName: "size"),
    transform: ByteSize.init(parsing:))
  var resident: ByteSize?
  @Option(
    help: ArgumentHelp("File that evicted pages go to; with --resident.", valueName: "file"),
    completion: .file())
  var swap: String?
  @Option(
    help: ArgumentHelp(
      "Memory in which evicted pages are kept compressed, or `off`. (default: a tenth of --resident)",
      valueName: "size"), transform: CompressionSize.init(parsing:))
  var compression: CompressionSize?
  @Option(
    help: ArgumentHelp(
      "Failures of the swap file to commit, as OPERATION:NUMBER[+]:REASON.", visibility: .private))
  var swapFault: String?

  /// What it comes to; nil where all of RAM may be resident.
  ///
  /// - Throws: `ValidationError`.
  func configuration(memory: UInt64, reserve: UInt64) throws -> PagingConfiguration? {
    guard let resident else {
      guard swap == nil, compression == nil else {
        throw ValidationError("'--swap' and '--compression' go with '--resident'")
      }
      return nil
    }
    guard let swap, !swap.isEmpty else { throw ValidationError("'--resident' needs a file, with '--swap'") }
    let least = reserve + PagingConfiguration.smallestResident
    guard resident.bytes <= memory, resident.bytes >= least, resident.bytes % StatusAnswer.pageSize == 0
    else {
      throw ValidationError(
        "'--resident' is \(ByteSize(least)) (1M above '--reserve') to '--memory', in whole pages of 4K\(resident.reading)"
      )
    }
    if let size = compression?.bytes, size > 0 {
      guard size >= PagingConfiguration.smallestCompression, size <= memory else {
        throw ValidationError(
          "'--compression' is \(ByteSize(PagingConfiguration.smallestCompression)) to '--memory', or off")
      }
    }
    var wish = PagingConfiguration(
      resident: resident.bytes, swap: try WorkingDirectory.withoutLinks(swap), compression: compression?.bytes
    )
    if let swapFault {
      guard IOFaultPlan(swapFault) != nil else {
        throw ValidationError(
          "'--swap-fault' is OPERATION:NUMBER[+]:REASON or OPERATION:FIRST-LAST:REASON, such as write:3:ENOSPC; see \(FSRCommandLine.faultManual)"
        )
      }
      wish.faults = swapFault
    }
    return wish
  }
}
