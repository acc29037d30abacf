internal import FSRHandoff
package import FSRState
package import FSRSystem

/// By what a folder is known for a VM's.
extension VMFolder {
  /// The first line of the mark, and how the second one begins, which may be missing until the machine is known.
  private static let markLine = "fsr VM 1"
  private static let machinePrefix = "machine "
  private static let markLimit = 256
  /// Names that a folder has at most.
  static let nameLimit = 4096

  /// Whose a folder is.
  enum Standing: Equatable {
    case ours
    /// Empty, as somebody leaves it who was interrupted in making it, or in removing it.
    case bare
    /// Not made by fsr; with what tells so.
    case foreign(String)
  }

  /// What the folder says of itself.
  ///
  /// - Throws: `SystemError` where that cannot be told.
  func standing() throws(SystemError) -> Standing {
    if let mark = try mark(), mark.starts(with: Array(Self.markLine.utf8)) { return .ours }
    // Whatever a cleaner has left of it: it runs.
    if try VMPresence.isHeld(self) { return .ours }
    // Builds that made no mark are known by what they have made.
    let names: [String]
    do throws(SystemError) { names = try directory.names(limit: Self.nameLimit) } catch {
      if error.isTooLarge { return .foreign("it holds more than \(Self.nameLimit) entries") }
      throw error
    }
    if names.isEmpty {
      // As a folder is made here, and hardly one for anything else.
      return try directory.ownership().mode == 0o700 ? .bare : .foreign("it is empty")
    }
    switch (try traces(), foreign(in: names).first) {
    // What was put beside so much that is fsr's is no reason to give a VM up.
    case (2..., _), (1, nil): return .ours
    case (_, let other?): return .foreign("it holds \(other)")
    case (_, nil): return .foreign("nothing in it was made by fsr")
    }
  }

  /// What there is of `names` that fsr never gave; in order.
  package func foreign(in names: [String]) -> [String] {
    let known = Set(VMFolderNames.all)
    return names.filter { !known.contains($0) }.sorted()
  }

  /// How many things are here that look as only fsr makes them.
  private func traces() throws(SystemError) -> Int {
    var count = try directory.kind(of: VMFiles.socket) == .socket ? 1 : 0
    if try directory.kind(of: VMFiles.lock) == .plain {
      let size = try directory.openFile(VMFiles.lock, .read).size()
      if size == 0 || VMLock.recordSizes.contains(Int(clamping: size)) { count += 1 }
    }
    switch try directory.kind(of: VMFolderNames.blocks) {
    case .symbolicLink:
      if Self.sharedLeaf(try directory.readLink(VMFolderNames.blocks)) != nil { count += 1 }
    case .directory: if try directory.isOnTmpfs() { count += 1 }
    case .plain, .pipe, .socket, .device, nil: break
    }
    return count
  }

  /// Nil where there is none, or what has its name is none.
  private func mark() throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
      return try directory.openFile(VMFolderNames.mark, .read).readAll(limit: Self.markLimit)
    } catch {
      if error.isOwnShortage { throw error }
      return nil
    }
  }

  /// Marks the folder as a VM's: in one step, so that no half a mark is ever there.
  package func writeMark(of machine: MachineIdentity? = nil) throws(SystemError) {
    let draft = VMFolderNames.draft(of: VMFolderNames.mark)
    try? directory.unlink(draft)
    let lines = [Self.markLine] + (machine.map { ["\(Self.machinePrefix)\($0)"] } ?? [])
    do throws(SystemError) {
      try directory.openFile(draft, .createNew).write(Array(lines.map { $0 + "\n" }.joined().utf8))
      try directory.rename(draft, to: VMFolderNames.mark, replacing: true)
    } catch {
      try? directory.unlink(draft)
      throw error
    }
  }

  /// Marks the folder where it was made by a build that made no marks.
  package func markIfMissing(of machine: MachineIdentity) {
    do throws(SystemError) { if try mark() == nil { try writeMark(of: machine) } } catch {
      // It is known for a VM's without.
    }
  }

  /// The machine that the folder is, or was, for; nil where nothing says so any more.
  package var machine: MachineIdentity? { machines.first }

  /// All the machines that the folder says it is for: of one whose mark was written over, the one of its blocks too.
  var machines: [MachineIdentity] {
    var found: [MachineIdentity] = []
    if let marked = machineInMark { found.append(marked) }
    // One that an older build has started says it in its blocks alone.
    if let blocks = (try? blocks()) ?? nil, let block = (try? blocks.newest()) ?? nil,
      !found.contains(block.machine)
    {
      found.append(block.machine)
    }
    return found
  }

  /// The machine that the mark names; nil where it names none.
  var machineInMark: MachineIdentity? {
    let lines = String(decoding: (try? mark()) ?? [], as: UTF8.self).split(separator: "\n")
    guard let line = lines.dropFirst().first, line.hasPrefix(Self.machinePrefix) else { return nil }
    return MachineIdentity(hexadecimal: line.dropFirst(Self.machinePrefix.count))
  }
}
