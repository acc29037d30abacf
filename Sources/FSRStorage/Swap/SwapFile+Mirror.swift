internal import FSRSystem
internal import Synchronization

/// A swap file's being copied to another one while the VM pages.
extension SwapFile {
  /// Who does the writes: the queue alone, or a mirror.
  struct Routing {
    /// Writes that went straight to the queue, and have not ended.
    var plainWrites = 0
    var mirror: FileMirror?

    /// Nothing comes from a mirror that is off, once its writes have ended.
    mutating func forgetMirror() {
      if let mirror, mirror.isOver, mirror.pending == 0 { self.mirror = nil }
    }
  }

  /// Whether writes are under way in a mirror, be it one that was called off: another cannot begin.
  public var hasMirror: Bool {
    routing.withLock { routing in
      routing.forgetMirror()
      return routing.mirror != nil
    }
  }

  /// Through which writes go, where there is one.
  var mirror: FileMirror? { routing.withLock { $0.mirror } }

  /// Makes the file at `path` a second one of this VM: locked, as long as this one, of the same slots, and empty.
  /// What `open` says of a file that is there holds here too.
  ///
  /// - Throws: `SwapError`; a file that was made is removed then.
  public func makeCopy(at path: String) throws(SwapError) -> SwapFile {
    try checkLength()
    let known = try? OwnedDescriptor.reference(to: path).identity()
    if known == description.file { throw .ownFile(path: path) }
    var options = options
    options.faults = options.faults.ofCopy
    // With io_uring the kernel keeps a few workers for each thread of ours, whichever ring and file they work for: those
    // that hang in the copy's disk would be missing for this file, also after the copy is given up.
    options.engine = .threads
    return try SwapFile.open(path, header: description.header, bitmap: bitmap, options: options) {
      (copy) throws(SwapError) in try copy.extendWhole()
    }
  }

  /// What the bitmap says is there, the file has.
  private func checkLength() throws(SwapError) {
    let needed = (SwapHeader.pages + bitmap.count) * PageTransfer.pageSize
    let bytes = try withFile { (file) throws(SystemError) in try file.size() }
    if bytes < needed { throw .tooSmall(path: description.path, bytes: bytes, needed: needed) }
  }

  private func extendWhole() throws(SwapError) {
    try growth.withLock { (growth) throws(SwapError) in
      // It was made empty, whatever the bitmap says.
      growth.slots = 0
      try extend(to: bitmap.count, &growth)
    }
  }

  /// Begins to copy what is in use to `copy`, which `makeCopy` made, and to keep the two the same.
  ///
  /// Not while there is another mirror (`hasMirror`): the ends of its writes would be taken for this one's.
  ///
  /// - Parameter bytesPerSecond: nil as fast as can be.
  /// - Throws: `SwapError`; then nothing has begun. It is busy while writes of a mirror of before are under way.
  public func startMirror(to copy: SwapFile, bytesPerSecond: UInt64? = nil, chunk: UInt64? = nil)
    throws(SwapError) -> FileMirror
  {
    // Nobody makes the file longer meanwhile.
    try growth.withLock { (_) throws(SwapError) in
      if hasMirror { throw .system(.busy("mirror", description.path)) }
      let mirror = try makeMirror(to: copy, bytesPerSecond, chunk)
      try SwapError.translating { () throws(SystemError) in try mirror.start() }
      let isAtRest = routing.withLock { routing in
        routing.mirror = mirror
        return routing.plainWrites == 0
      }
      if isAtRest { mirror.begin() }
      return mirror
    }
  }

  private func makeMirror(to copy: SwapFile, _ bytesPerSecond: UInt64?, _ chunk: UInt64?) throws(SwapError)
    -> FileMirror
  {
    try SwapError.translating { () throws(SystemError) in
      let files = ChunkCopy.Files(
        original: try reference.reopen(.read), copy: try copy.reference.reopen(.readWrite),
        faults: copy.options.faults)
      let bitmap = bitmap
      let ends = FileMirror.Ends(
        original: queue, copy: copy.queue, files: files,
        extents: { pages in
          let slots = pages.lowerBound - SwapHeader.pages..<pages.upperBound - SwapHeader.pages
          return bitmap.runs(in: slots).map {
            $0.lowerBound + SwapHeader.pages..<$0.upperBound + SwapHeader.pages
          }
        },
        extend: { (end) throws(CopyFailure) in
          do throws(SwapError) {
            try copy.growth.withLock { (growth) throws(SwapError) in
              try copy.extend(to: end - SwapHeader.pages, &growth)
            }
          } catch { throw .copy(error.cause) }
        },
        over: { [weak self] in
          copy.giveUp()
          self?.forgetMirror()
        })
      var options = FileMirror.Options()
      options.bytesPerSecond = bytesPerSecond
      if let chunk { options.chunk = chunk }
      return try FileMirror(
        ends, blocks: SwapHeader.pages..<SwapHeader.pages + bitmap.count, used: bitmap.usedCount,
        options: options)
    }
  }

  /// Has the copy made as long as this file is to be, by and by: the way of a page does not wait for another disk.
  func growMirror(to count: UInt64) {
    mirror?.grow(to: SwapHeader.pages + count)
  }

  // MARK: the way of a page

  /// Starts as many of `transfers` as there is room for.
  func route(_ transfers: some Collection<PageTransfer>) throws(SystemError) -> Int {
    try routing.withLock { (routing) throws(SystemError) in
      guard let mirror = routing.mirror, mirror.isAlive else {
        let taken = try queue.submit(transfers)
        routing.plainWrites += transfers.prefix(taken).count { $0.direction == .write }
        return taken
      }
      var taken = 0
      for transfer in transfers {
        switch transfer.direction {
        case .read:
          do throws(SystemError) {
            if try !queue.submit(transfer) { return taken }
          } catch {
            if taken > 0 { return taken }
            throw error
          }
        case .write:
          if queue.inFlight + mirror.waiting >= queue.depth { return taken }
          mirror.submit(transfer)
        }
        taken += 1
      }
      return taken
    }
  }

  /// Passes what is a mirror's on to it; answers what the caller had submitted.
  func sort(_ completions: [PageCompletion]) -> [PageCompletion] {
    routing.withLock { routing in
      var own: [PageCompletion] = []
      for completion in completions {
        if completion.tag & FileMirror.mark != 0 {
          routing.mirror?.originalEnded(completion)
        } else {
          own.append(completion)
          guard completion.direction == .write else { continue }
          routing.plainWrites -= 1
          if let failure = completion.failure { routing.mirror?.cancel(.original(failure)) }
        }
      }
      guard let mirror = routing.mirror else { return own }
      if routing.plainWrites == 0 { mirror.begin() }
      own += mirror.takeFinished()
      routing.forgetMirror()
      return own
    }
  }

  /// A guest that pages nothing any more has no completions: without this it would keep the mirror.
  private func forgetMirror() { routing.withLock { $0.forgetMirror() } }
}
