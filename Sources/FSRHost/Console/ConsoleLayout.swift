/// Where things lie in the memfd of a guest's console: a page of words, then the output ring.
///
/// ```
/// 0     bytes ever written      8     bytes ever taken to the file    16   bytes that were overwritten before
/// 24    bytes written or being written
/// 64    bell: output was written
/// 128   typed bytes ever taken  192   typed bytes ever put            256  bell: input was put
/// 320   bell: input was taken   384   how the guest ended: length, then text
/// 512   1 while it is paused
/// 2048  the input ring          4096  the output ring
/// ```
/// Builds that know only the first three words and the output ring keep to them, and leave the rest as it is.
/// Every process of the same user may write here at any moment: nothing that is read is trusted.
package enum ConsoleLayout {
  package static let capacity: UInt64 = 1 << 20
  package static let size: UInt64 = 4096 + capacity

  package static let written: UInt64 = 0
  package static let drained: UInt64 = 8
  package static let dropped: UInt64 = 16
  package static let writing: UInt64 = 24
  package static let outputBell: UInt64 = 64
  package static let inputHead: UInt64 = 128
  package static let inputTail: UInt64 = 192
  package static let inputBell: UInt64 = 256
  package static let roomBell: UInt64 = 320
  package static let end: UInt64 = 384
  package static let endLimit = 64
  package static let paused: UInt64 = 512
  package static let inputRing: UInt64 = 2048
  package static let inputSlots: UInt64 = 512
  package static let outputRing: UInt64 = 4096
}
