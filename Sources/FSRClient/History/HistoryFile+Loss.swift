public import FSRHandoff
public import FSRHost
public import FSRSystem

extension HistoryFile {
  /// Writes down in history and log that the VM was lost in a handoff, once, as far as that can be: nobody of the VM is
  /// left who would. A VM that was lost later is none of a handoff's.
  public static func noteLoss(of block: ControlBlock, in folder: borrowing VMFolder, why: Reason) {
    // The first block is the VM's start, and whoever won has told of it.
    guard block.attempt > 1, block.time(of: .requested) != 0, block.time(of: .reported) == 0 else { return }
    let loss = why.causing("the VM is lost", code: .lost)
    let report = HandoffReport(of: block, vm: folder.name, reason: loss)
    var record = HistoryRecord("handoff", of: block, report, fromBuild: nil, toBuild: nil)
    record.victor = "none"
    record.reason = "\(loss)"
    record.reasonCode = ReasonCode.lost.name
    guard let known = try? read(in: folder), !known.records.contains(where: { $0.id == record.id }) else {
      return
    }
    try? record.append(in: folder)
    let line =
      "\(record.time.dropLast())+0000 error \(folder.name): handoff \(block.attempt) ended: \(loss)\n"
    try? folder.directory.openFile(VMFiles.log, .append).write(Array(line.utf8))
  }
}
