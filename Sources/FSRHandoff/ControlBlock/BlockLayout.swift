/// Where everything lies in a control block: two pages on tmpfs, little-endian.
///
/// ```
/// 0     magic, format, attempt              what the block is; written once, before it has a name
/// 16    generation, VM identity high/low, number of the draft
/// 64    resume word                         a cache line of its own; its lower half is a futex
/// 128   complete: attempt number or 0       length and checksum of the checkpoint are stored before it
/// 136   checkpoint length, checksum
/// 192   doorbell                            futex on which the destination's threads are parked
/// 256   limits: max downtime, deadline      nanoseconds; the deadline is on the monotonic clock
/// 272   the largest gap that the guest saw   microseconds plus one
/// 280   who asked: 1 once written, pid, uid
/// 304   how far three parties are with their long work: bytes done, bytes in all
/// 352   bytes that were copied
/// 512   timeline                            one time per mark, nanoseconds on the monotonic clock, 0 = not yet
/// 1024  three parties, 1 KiB each
/// 4096  three reasons, 512 bytes each: length, UTF-8, at 504 the number of a reason code or 0, and at 508 how many
///       bytes are the sentence, behind which a remedy stands; 0 = all
/// 5632  three PID namespaces, 8 bytes each  of the numbers of the parties; 0 = not said
/// 5656  three protocol versions, 4 bytes each  the highest that the parties speak; 0 = not said, which is 1
/// 5696  further processes of three parties, 520 bytes each: how many, at 8 pid, 0 and start time of each, 16 bytes
/// ```
enum BlockLayout {
  static let size: UInt64 = 8192
  static let magicNumber: UInt64 = 0x4b43_4f4c_4252_5346  // "FSRBLOCK"
  static let formatNumber: UInt32 = 1

  static let magic: UInt64 = 0
  static let format: UInt64 = 8
  static let attempt: UInt64 = 12
  static let generation: UInt64 = 16
  static let machineHigh: UInt64 = 24
  static let machineLow: UInt64 = 32
  static let draft: UInt64 = 40

  static let word: UInt64 = 64
  static let complete: UInt64 = 128
  static let length: UInt64 = 136
  static let checksum: UInt64 = 144
  static let doorbell: UInt64 = 192
  static let maxDowntime: UInt64 = 256
  static let deadline: UInt64 = 264

  /// Microseconds plus one; 0 is not known.
  static let guestGap: UInt64 = 272

  /// 0 none, 1 written; then pid and user.
  static let askerIsSet: UInt64 = 280
  static let askerPID: UInt64 = 284
  static let askerUser: UInt64 = 288

  /// Bytes done, bytes in all; 0 where it has not said.
  static func progress(_ party: Party) -> UInt64 { 304 + UInt64(party.rawValue) * 16 }

  static let copied: UInt64 = 352

  static let timeline: UInt64 = 512

  static func party(_ party: Party) -> UInt64 { 1024 + UInt64(party.rawValue) * 1024 }
  /// Within a party: 0 none, 1 written.
  static let isSet: UInt64 = 0
  static let pid: UInt64 = 4
  static let startTime: UInt64 = 8
  static let bootHigh: UInt64 = 16
  static let bootLow: UInt64 = 24
  static let released: UInt64 = 32
  static let heartbeat: UInt64 = 40
  /// How many descriptor numbers follow: manifest, checkpoint, then the manifest's slots.
  static let descriptorCount: UInt64 = 48
  static let descriptors: UInt64 = 52
  static let descriptorLimit = 2 + 64
  /// The path of its executable: length, UTF-8. A longer one is left out.
  static let executable: UInt64 = 320
  static let executableLimit = 700

  static func reason(_ party: Party) -> UInt64 { 4096 + UInt64(party.rawValue) * 512 }
  static let reasonLimit = 500
  /// Within a reason.
  static let reasonCode: UInt64 = 504
  static let sentence: UInt64 = 508

  static func namespace(_ party: Party) -> UInt64 { 5632 + UInt64(party.rawValue) * 8 }
  static func version(_ party: Party) -> UInt64 { 5656 + UInt64(party.rawValue) * 4 }

  /// How many processes a party has beside the one that takes part; then pid and start time of each. They are of the same
  /// boot and the same PID namespace.
  static func members(_ party: Party) -> UInt64 { 5696 + UInt64(party.rawValue) * 520 }
  static func member(_ index: Int, of party: Party) -> UInt64 { members(party) + 8 + UInt64(index) * 16 }
  static let memberLimit = 32
  static func memberStart(_ index: Int, of party: Party) -> UInt64 { member(index, of: party) + 8 }
}

/// The moments of a handoff that are written down as they pass.
public enum TimelineMark: Int, CaseIterable, Sendable {
  case requested, started, negotiated, prepared, quiesced
  /// The vCPUs were asked to stop.
  case stunned
  /// The last vCPU left the guest.
  case left
  case saved, completed
  /// The destination saw the complete checkpoint.
  case seen
  case loaded
  /// The word became terminal.
  case decided
  /// The first vCPU entered the guest again.
  case entered
  /// The victor has seen the losers gone.
  case reaped
  /// The victor has written its history, and all that it has to say stands in the block.
  case reported
  /// What goes over by copying stands, and is kept the same.
  case copied
}
