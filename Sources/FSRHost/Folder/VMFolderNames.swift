internal import FSRHandoff

/// The names that fsr gives in a VM's folder. Whatever else is there is somebody else's, and is left alone.
package enum VMFolderNames {
  /// Says that fsr has made the folder, and for which machine.
  static let mark = "vm"
  package static let blocks = "blocks"
  package static let history = "history"
  static let ended = "ended"
  /// Leads to a swap file that was made for this VM.
  static let swap = "swap"
  /// Leads to one that was made for the VMM that a handoff under way starts.
  static let nextSwap = "swap-next"
  /// Lead to those that nobody needs and that could not be removed yet.
  static let oldSwaps = ["swap-old"] + (2...8).map { "swap-old-\($0)" }

  /// How the VM's taps were set before it had them.
  static let taps = "taps"

  /// What a file is called that is written to take the place of `name`.
  static func draft(of name: String) -> String { "\(name).new" }

  /// In the order in which they are removed: who is interrupted leaves a folder that is known for a VM's, and the lock
  /// keeps others from it to the end.
  static let all =
    [
      VMFiles.socket, VMFiles.log, blocks, history, draft(of: history), ended, draft(of: ended), swap,
      nextSwap, taps,
    ] + oldSwaps
    + [draft(of: mark), mark, VMFiles.lock]
}
