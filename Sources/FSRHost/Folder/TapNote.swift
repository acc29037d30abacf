package import FSRSystem

/// How a VM's taps were set before it had them, as its folder keeps it: a tap that stays is given back so, by the VM's last
/// VMM, or by whoever clears up behind one that was killed.
package struct TapNote: Equatable {
  package struct Entry: Equatable {
    package var tap: String
    package var settings: TapSettings
    /// Nil where the VM leaves it alone.
    package var mtu: Int?

    package init(tap: String, settings: TapSettings, mtu: Int? = nil) {
      self.tap = tap
      self.settings = settings
      self.mtu = mtu
    }
  }

  /// Bytes in a note, far more than one has.
  private static let sizeLimit = 4096

  package var entries: [Entry]

  package init(_ entries: [Entry] = []) { self.entries = entries }

  // MARK: the file

  /// What the folder has; empty where there is none.
  package init(in folder: borrowing VMFolder) {
    let bytes = try? folder.directory.openFile(VMFolderNames.taps, .read).readAll(limit: Self.sizeLimit)
    self.init(String(decoding: bytes ?? [], as: UTF8.self))
  }

  /// A line for each tap: its name, header size, offloads and MTU, 0 for none. Other lines are left out.
  package init(_ text: String) {
    entries = text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 4, TapPort.isName(String(words[0])), let header = Int(words[1]), header > 0,
        let offloads = UInt32(words[2]), let mtu = Int(words[3]), mtu == 0 || TapPort.mtuRange.contains(mtu)
      else { return nil }
      return Entry(
        tap: String(words[0]), settings: TapSettings(headerSize: header, offloads: offloads),
        mtu: mtu == 0 ? nil : mtu)
    }
  }

  package var text: String {
    entries.map { "\($0.tap) \($0.settings.headerSize) \($0.settings.offloads) \($0.mtu ?? 0)\n" }.joined()
  }

  package func write(in folder: borrowing VMFolder) throws(SystemError) {
    if entries.isEmpty { return }
    try? folder.directory.unlink(VMFolderNames.taps)
    try folder.directory.openFile(VMFolderNames.taps, .createNew).write(Array(text.utf8))
  }

  // MARK: VMs that were killed

  /// The same, where a tap is still set as fsr sets it and the note of another VM in the same runtime folder says how it
  /// was before: that VM was killed, since it has the tap no more.
  package func correctedByLostVMs(beside folder: borrowing VMFolder) -> TapNote {
    let parts = folder.path.split(separator: "/").dropLast()
    guard entries.contains(where: { $0.settings.headerSize == TapQueue.headerSize }),
      let runtime = try? Directory.open("/" + parts.joined(separator: "/"))
    else { return self }
    var corrected = self
    for name in (try? runtime.names(limit: RuntimeDirectory.nameLimit)) ?? [] where name != folder.name {
      guard let other = try? Directory.open(name, in: runtime) else { continue }
      for old in TapNote(in: VMFolder(name: name, directory: other)).entries { corrected.take(old) }
    }
    return corrected
  }

  private mutating func take(_ old: Entry) {
    for index in entries.indices
    where entries[index].tap == old.tap && entries[index].settings.headerSize == TapQueue.headerSize {
      entries[index].settings = old.settings
      if let mtu = old.mtu { entries[index].mtu = mtu }
    }
  }

  // MARK: giving back

  /// Sets the tap back, which `queues` are of. The MTU needs a right that only whoever starts and stops VMs may have.
  package func restore(_ tap: String, by queues: [Owned<TapQueue>]) {
    guard let queue = queues.first else { return }
    guard let entry = entries.first(where: { $0.tap == tap }) else {
      try? queue.value.acceptAll()
      return
    }
    Self.restore(entry, by: queue.value)
  }

  private static func restore(_ entry: Entry, by queue: borrowing TapQueue) {
    // It may have been renamed.
    let name = (try? queue.identity().name) ?? entry.tap
    try? queue.restore(entry.settings)
    if let mtu = entry.mtu { try? NetworkInterface.setMTU(mtu, of: name) }
  }

  /// What this process may go by: nothing of what another user has written.
  package func trusted(in folder: borrowing VMFolder) -> TapNote {
    let owner = try? folder.directory.ownership().uid
    return owner == Host.effectiveUserID ? self : TapNote()
  }

  /// Sets back what nobody has, for a VM of which nobody lives.
  package func restoreAll(of folder: borrowing VMFolder) { trusted(in: folder).restoreAll() }

  package func restoreAll() {
    for entry in entries {
      // None is made where there is none, and one that somebody has is not to be had.
      guard (try? NetworkInterface.mtu(of: entry.tap)) != nil else { continue }
      for isMultiQueue in [false, true] {
        guard let queue = try? TapQueue.attach(entry.tap, isMultiQueue: isMultiQueue) else { continue }
        if (try? TapQueue.count(of: entry.tap)) ?? 0 <= 1 { Self.restore(entry, by: queue) }
        break
      }
    }
  }
}
