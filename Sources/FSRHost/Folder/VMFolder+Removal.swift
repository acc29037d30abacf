internal import FSRHandoff
internal import FSRSystem

/// What goes with a VM, and what stays.
extension VMFolder {
  /// Whether somebody has removed the folder since it was opened.
  public var isRemoved: Bool { (try? directory.isRemoved()) ?? false }

  /// Removes what the VM has elsewhere; answers what is left of that.
  private func clearElsewhere() -> FolderRemains {
    TapNote(in: self).restoreAll(of: self)
    return FolderRemains(stuck: removeSwap()) + removeBlocks()
  }

  /// What is in the folder that fsr never made.
  package var foreign: [String] {
    do throws(SystemError) { return foreign(in: try directory.names(limit: Self.nameLimit)) } catch {
      return error.isTooLarge ? ["more than \(Self.nameLimit) entries"] : []
    }
  }

  /// Removes what the VM has elsewhere, and what fsr has made in the folder, but for `kept`; answers what is left.
  @discardableResult
  package func clear(keeping kept: String? = nil) -> FolderRemains {
    var remains = clearElsewhere()
    // What has their name and is not fsr's is none.
    let isOwn = remains.foreign.isEmpty
    for name in VMFolderNames.all where name != kept && (isOwn || name != VMFolderNames.blocks) {
      if (try? directory.unlink(name)) != nil { continue }
      switch (try? directory.kind(of: name)) ?? nil {
      case .directory: if name != VMFolderNames.blocks { remains.foreign.append("\(path)/\(name)") }
      case .plain, .symbolicLink, .pipe, .socket, .device: remains.stuck.append("\(path)/\(name)")
      case nil: break
      }
    }
    remains.foreign += foreign.map { "\(path)/\($0)" }
    return remains
  }

  /// Removes the folder with what fsr has made in it, and what the VM has elsewhere; answers what is left of that.
  @discardableResult
  package func remove() -> FolderRemains {
    var remains = clear()
    let here = path
    guard remains.foreign.isEmpty, let leaf = here.split(separator: "/").last.map(String.init) else {
      return remains
    }
    do throws(SystemError) {
      let parent = try directory.parent()
      // Whatever has its name by now need not be this folder.
      guard try parent.isEntry(leaf, of: directory.descriptor) else { return remains }
      try parent.removeDirectory(leaf)
    } catch {
      // Somebody has begun anew in it.
      if ((try? standing()) ?? nil) != .ours { remains.stuck.append(here) }
    }
    return remains
  }

  /// The same, unless something would be left that nothing here tells of any more: somebody else can do it then.
  package func removeIfWhole() {
    // Who starts a VM of this name meanwhile finds somebody at work. Where somebody is, that one knows of this end.
    let lock = lockIfFree()
    defer { _ = lock }
    if clearElsewhere().isEmpty { remove() }
  }

  private func lockIfFree() -> Owned<VMLock>? {
    do throws(HandoffError) {
      switch try VMLock.attempt(in: directory) {
      case .taken(let lock): return Owned(lock)
      case .held: return nil
      }
    } catch { return nil }
  }
}
