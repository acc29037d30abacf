public import FSRState
public import FSRSystem

/// The control blocks of one VM: a folder on tmpfs with a file per attempt, named by its number.
///
/// The newest block is the truth about who owns the VM. Whoever makes one holds the VM's lock.
public struct BlockDirectory: ~Copyable, Sendable {
  /// How many names one look at the folder reads.
  static let nameLimit = 4096
  /// The same of a look that is to remove all of it.
  private static let removalLimit = 65536

  public let directory: Directory

  /// - Throws: `HandoffError.badBlock` where the folder is not on tmpfs.
  public init(_ directory: consuming Directory) throws(HandoffError) {
    do throws(SystemError) {
      guard try directory.isOnTmpfs() else {
        throw SystemError("statfs", on: "control blocks, not on tmpfs", errno: 22)
      }
    } catch { throw .badBlock("\(error)") }
    self.directory = directory
  }

  public init(adopting folder: consuming OwnedDescriptor) throws(HandoffError) {
    let directory: Directory
    do throws(SystemError) { directory = try Directory(adopting: folder) } catch { throw .system(error) }
    try self.init(directory)
  }

  public func duplicate() throws(HandoffError) -> BlockDirectory {
    do throws(SystemError) { return BlockDirectory(checked: try directory.duplicate()) } catch {
      throw .system(error)
    }
  }

  private init(checked directory: consuming Directory) { self.directory = directory }

  /// The attempts that have a block, oldest first.
  public func attempts() throws(HandoffError) -> [UInt32] { try names().compactMap(Self.attempt).sorted() }

  /// The names of all that is here: nothing where the folder itself was removed, with the VM.
  func names() throws(HandoffError) -> [String] {
    do throws(SystemError) { return try directory.names(limit: Self.nameLimit) } catch {
      if error.isMissing { return [] }
      throw .system(error)
    }
  }

  /// The newest block; nil where there is none.
  public func newest() throws(HandoffError) -> ControlBlock? {
    // A block may be removed between the look and the opening, when a newer one has come.
    for _ in 0..<8 {
      guard let attempt = try attempts().last else { return nil }
      if let block = try open(attempt) { return block }
    }
    return nil
  }

  /// The block of `attempt`; nil where it is gone.
  public func open(_ attempt: UInt32) throws(HandoffError) -> ControlBlock? {
    let file: OwnedDescriptor
    do throws(SystemError) {
      file = try directory.openFile("\(attempt)", .readWrite)
    } catch {
      if error.isMissing { return nil }
      throw .system(error)
    }
    let block = try ControlBlock(adopting: file)
    guard block.attempt == attempt else { throw .badBlock("block \(attempt) says it is \(block.attempt)") }
    return block
  }

  /// Makes the block of `attempt` without giving it its name yet.
  ///
  /// - Parameter draft: a number that no draft of a block on this host has had.
  public func create(
    attempt: UInt32, generation: UInt64, machine: MachineIdentity, state: ResumeState,
    draft: UInt64 = LinuxWorld.shared.draftNumber()
  ) throws(HandoffError) -> ControlBlock {
    let file: OwnedDescriptor
    do throws(SystemError) {
      file = try directory.openFile(Self.name(attempt, draft), .createNew)
    } catch { throw .system(error) }
    // Root may coordinate another user's VM, whose VMM is to open it too. Who cannot be given it says so.
    try? file.belong(to: directory)
    do throws(HandoffError) {
      return try ControlBlock(
        filling: file, attempt: attempt, generation: generation, machine: machine, state: state, draft: draft)
    } catch {
      // On a full disk nothing half-made stays.
      try? directory.unlink(Self.name(attempt, draft))
      if case .system(let cause) = error, let path = try? directory.path() {
        throw .system(cause.naming(path))
      }
      throw error
    }
  }

  /// Gives the block its name, which makes it the newest; never over another.
  ///
  /// - Throws: `HandoffError.system` where its draft was removed, or the attempt has a block already.
  public func publish(_ block: ControlBlock) throws(HandoffError) {
    do throws(SystemError) {
      try directory.rename(Self.name(block.attempt, block.draft), to: "\(block.attempt)", replacing: false)
    } catch { throw .system(error) }
  }

  /// Removes blocks older than `attempt`, and what a coordinator left that died before its block had a name.
  public func removeOlder(than attempt: UInt32) throws(HandoffError) {
    for name in try names()
    where Self.isDraft(name) || Self.attempt(name).map({ $0 < attempt }) == true {
      try? directory.unlink(name)
    }
  }

  /// Removes all blocks and drafts of a VM that is no more; answers the names of what else is here, which stays.
  public func removeAll() throws(HandoffError) -> [String] {
    do throws(SystemError) {
      var others: [String] = []
      for name in try directory.names(limit: Self.removalLimit) {
        let isOurs = Self.isDraft(name) || Self.attempt(name) != nil
        if !isOurs || (try? directory.unlink(name)) == nil { others.append(name) }
      }
      return others
    } catch { throw .system(error) }
  }

  /// The attempt whose block has this name; nil where that is no block's.
  private static func attempt(_ name: String) -> UInt32? {
    UInt32(name).flatMap { "\($0)" == name ? $0 : nil }
  }

  private static func isDraft(_ name: String) -> Bool {
    guard name.hasSuffix(draftSuffix) else { return false }
    let numbers = name.dropLast(draftSuffix.count).split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 2 && UInt32(numbers[0]) != nil && UInt64(numbers[1]) != nil
  }

  /// Removes `block` if it never got its name; answers whether it had none.
  public func removeDraft(of block: ControlBlock) -> Bool {
    (try? directory.unlink(Self.name(block.attempt, block.draft))) != nil
  }

  /// Blocks that have no name yet; those that are being filled are left out.
  func drafts() throws(HandoffError) -> [ControlBlock] {
    try names().filter(Self.isDraft).compactMap { name in
      guard let file = try? directory.openFile(name, .readWrite) else { return nil }
      return try? ControlBlock(adopting: file)
    }
  }

  /// Whether `block` lies here and waits for its name: this very file, not another that says the same of itself.
  ///
  /// - Throws: `HandoffError.system` where it cannot be told.
  public func hasDraft(of block: ControlBlock) throws(HandoffError) -> Bool {
    do throws(SystemError) {
      let draft = try directory.openFile(Self.name(block.attempt, block.draft), .read)
      return try draft.isSameFile(as: block.descriptor)
    } catch {
      if error.isMissing { return false }
      throw .system(error)
    }
  }

  /// Whether `block` still waits for its name.
  func isDraft(_ block: ControlBlock) -> Bool {
    (try? directory.openFile(Self.name(block.attempt, block.draft), .read)) != nil
  }

  static let draftSuffix = ".draft"
  private static func name(_ attempt: UInt32, _ draft: UInt64) -> String {
    "\(attempt).\(draft)\(draftSuffix)"
  }
}
