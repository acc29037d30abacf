import FSRMemory
import Synchronization

extension Machine {
  /// Puts a guest into RAM, which must be as new: what an image leaves zero is not touched. Writes the device
  /// tree and resets all harts to the entry.
  ///
  /// - Throws: `ELFError`; RAM is untouched then.
  public func load(_ image: ELFImage, cpus: [any VirtualCPU]) throws(ELFError) {
    try place(image, cpus) { _ in }
  }

  /// Starts the guest anew, as a reset does on QEMU's board: the image is put in place again, its zeros too, and
  /// harts and devices are as at the start. Other RAM keeps what it holds. No hart may be in `run`.
  ///
  /// - Parameter clear: makes a range of RAM zeros.
  /// - Throws: `ELFError`; nothing has changed then.
  public func restart(_ image: ELFImage, cpus: [any VirtualCPU], clear: (Range<UInt64>) -> Void)
    throws(ELFError)
  {
    try place(image, cpus, clear)
    clint.reset()
    // Before the controller, which would take its line for a request else.
    uart.reset()
    plic.reset()
  }

  /// The same with RAM that nobody keeps or pages.
  public func restart(_ image: ELFImage, cpus: [any VirtualCPU]) throws(ELFError) {
    try restart(image, cpus: cpus) { memory.giveUp($0) }
  }

  private func place(_ image: ELFImage, _ cpus: [any VirtualCPU], _ clear: (Range<UInt64>) -> Void)
    throws(ELFError)
  {
    let treeOffset = memory.size - BoardMap.deviceTreeSize
    let placement = try ImagePlacement(image, memorySize: memory.size)
    let symbols = try GuestSymbols(of: image, placement, in: memory)
    for range in placement.zeros { clear(range) }
    for piece in placement.pieces {
      let bytes = image.bytes[piece.file..<piece.file + piece.range.count]
      memory.copy(Array(bytes), to: piece.range.lowerBound)
    }
    memory.copy(boardDeviceTree(harts: harts, memorySize: memory.size), to: treeOffset)
    self.symbols.withLock { $0 = symbols }
    for cpu in cpus { cpu.reset(entry: placement.entry, deviceTree: BoardMap.ram + treeOffset) }
  }
}
