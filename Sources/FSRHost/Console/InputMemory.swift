internal import FSRSystem

/// The shared words of the ring of typed bytes, each read and written in one piece.
///
/// What the ring does is written against this, so that a test can stop it between any two of them.
package protocol InputMemory {
  /// Bytes ever taken; only the consumer moves it.
  func head() -> UInt64
  func setHead(_ value: UInt64)
  /// Bytes ever put, as far as somebody has said so.
  func tail() -> UInt64
  /// Moves the tail, unless somebody else has.
  func moveTail(from expected: UInt64, to desired: UInt64)
  func slot(_ index: UInt64) -> UInt32
  func setSlot(_ index: UInt64, to value: UInt32)
  /// Answers whether the slot held `expected` and now holds `desired`.
  func exchangeSlot(_ index: UInt64, expected: UInt32, desired: UInt32) -> Bool
}

/// Those words in the console's memfd.
struct MappedInput: InputMemory {
  let region: Owned<MappedRegion>

  func head() -> UInt64 { region.value.atomicLoad(ConsoleLayout.inputHead) }

  func setHead(_ value: UInt64) { region.value.atomicStore(value, at: ConsoleLayout.inputHead) }

  func tail() -> UInt64 { region.value.atomicLoad(ConsoleLayout.inputTail) }

  func moveTail(from expected: UInt64, to desired: UInt64) {
    _ = region.value.atomicCompareExchange(
      ConsoleLayout.inputTail, expected: expected, desired: desired)
  }

  func slot(_ index: UInt64) -> UInt32 { region.value.atomicLoad(offset(index)) }

  func setSlot(_ index: UInt64, to value: UInt32) { region.value.atomicStore(value, at: offset(index)) }

  func exchangeSlot(_ index: UInt64, expected: UInt32, desired: UInt32) -> Bool {
    region.value.atomicCompareExchange(offset(index), expected: expected, desired: desired).exchanged
  }

  private func offset(_ index: UInt64) -> UInt64 { ConsoleLayout.inputRing + 4 * index }
}
