import FSRMemory
import Synchronization

extension Machine {
  /// Puts a guest into RAM, which must be as new: what an image leaves zero is not touched. Writes the device
  /// tree and resets all harts to the entry.
  ///
  /// - Throws: `ELFError`; RAM is untouched then.
  public func load(_ image: ELFImage, cpus: [any VirtualCPU]) throws(ELFError) {
    try load(image, cpus: cpus, isMemoryNew: true)
  }

  /// Starts the guest anew, as a reset does on QEMU's board: the image is put in place again, its zeros too, and
  /// harts and devices are as at the start. Other RAM keeps what it holds. No hart may be in `run`.
  ///
  /// - Throws: `ELFError`; nothing has changed then.
  public func restart(_ image: ELFImage, cpus: [any VirtualCPU]) throws(ELFError) {
    try load(image, cpus: cpus, isMemoryNew: false)
    clint.reset()
    plic.reset()
    uart.reset()
  }

  private func load(_ image: ELFImage, cpus: [any VirtualCPU], isMemoryNew: Bool) throws(ELFError) {
    let treeOffset = memory.size - BoardMap.deviceTreeSize
    let symbols = try GuestSymbols(of: image, in: self)
    for segment in image.segments {
      let offset = segment.address &- BoardMap.ram
      guard memory.contains(offset, count: segment.memorySize) else {
        throw .outsideRAM(address: segment.address, bytes: segment.memorySize)
      }
      guard offset + segment.memorySize <= treeOffset else {
        throw .overlapsDeviceTree(address: segment.address)
      }
    }
    guard image.entry % 2 == 0, memory.contains(image.entry &- BoardMap.ram, count: 2) else {
      throw .entryOutsideRAM(image.entry)
    }
    for segment in image.segments {
      let start = segment.address - BoardMap.ram
      memory.copy(Array(image.bytes[segment.file]), to: start)
      if !isMemoryNew { clear((start + UInt64(segment.file.count))..<(start + segment.memorySize)) }
    }
    memory.copy(boardDeviceTree(harts: harts, memorySize: memory.size), to: treeOffset)
    self.symbols.withLock { $0 = symbols }
    for cpu in cpus { cpu.reset(entry: image.entry, deviceTree: BoardMap.ram + treeOffset) }
  }
}

extension Machine {
  private static let clearingStretch: UInt64 = 1 << 20

  private func clear(_ range: Range<UInt64>) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = min(Self.clearingStretch, range.upperBound - offset)
      memory.copy([UInt8](repeating: 0, count: Int(count)), to: offset)
      offset += count
    }
  }
}

extension GuestSymbols {
  /// The symbols of `image` that the board knows; one that does not lie in RAM is refused.
  init(of image: ELFImage, in machine: Machine) throws(ELFError) {
    let known: [(name: String, size: UInt64)] = [
      ("tohost", 8), ("fsr_parameters", SoakParameters.size), ("fsr_statistics", SoakStatistics.size),
    ]
    let found = try image.symbols(known.map(\.name))
    var offsets: [UInt64?] = []
    for (name, size) in known {
      guard let address = found[name] else {
        offsets.append(nil)
        continue
      }
      let offset = address &- BoardMap.ram
      guard offset % 8 == 0, machine.memory.contains(offset, count: size) else {
        throw .badSymbol(name, address)
      }
      offsets.append(offset)
    }
    self.init(toHost: offsets[0], parameters: offsets[1], statistics: offsets[2])
  }
}
