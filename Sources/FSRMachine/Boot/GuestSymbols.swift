import FSRMemory

/// The guest's symbols that the board knows, as offsets in RAM.
struct GuestSymbols: Equatable {
  var toHost: UInt64?
  var parameters: UInt64?
  var statistics: UInt64?

  init() {}

  /// Those of `image`. A name may be anybody's, of a function or a string too: what cannot be meant is none of them.
  init(of image: ELFImage, _ placement: ImagePlacement, in memory: GuestMemory) throws(ELFError) {
    let names = ["tohost", "fsr_parameters", "fsr_statistics"]
    let found = try image.symbols(names)
    // The device tree is nobody's mailbox.
    let end = memory.size - BoardMap.deviceTreeSize
    func offset(_ name: String, size: UInt64, isMailbox: Bool) -> UInt64? {
      let fitting = (found[name] ?? []).filter { symbol in
        let offset = symbol.address &- BoardMap.ram
        guard symbol.isData, symbol.size == 0 || symbol.size >= size, offset % 8 == 0,
          offset < end, size <= end - offset
        else { return false }
        return !isMailbox || placement.isZero(image, at: offset, count: size)
      }
      return (fitting.first(where: \.isGlobal) ?? fitting.first).map { $0.address &- BoardMap.ram }
    }
    toHost = offset(names[0], size: 8, isMailbox: true)
    parameters = offset(names[1], size: SoakParameters.size, isMailbox: false)
    statistics = offset(names[2], size: SoakStatistics.size, isMailbox: false)
  }
}
