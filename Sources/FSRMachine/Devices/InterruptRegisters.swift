import FSRState

/// Which register of the PLIC an offset names.
enum InterruptRegister: Equatable {
  case priority(source: Int)
  /// 32 sources' bits.
  case pending(word: Int)
  case enable(context: Int, word: Int)
  case threshold(context: Int)
  /// Read: claim; written: completion.
  case claim(context: Int)
  case reserved

  init(_ offset: UInt64) {
    let word = Int(offset / 4)
    switch offset {
    case _ where offset % 4 != 0: self = .reserved
    case 0..<0x1000: self = .priority(source: word)
    case 0x1000..<0x1080: self = .pending(word: word - 0x400)
    case 0x2000..<0x20_0000: self = .enable(context: (word - 0x800) / 32, word: (word - 0x800) % 32)
    case 0x20_0000...:
      let context = Int((offset - 0x20_0000) / 0x1000)
      switch offset % 0x1000 {
      case 0: self = .threshold(context: context)
      case 4: self = .claim(context: context)
      default: self = .reserved
      }
    default: self = .reserved
    }
  }
}

/// The PLIC's state: a value, so that what it answers can be tried without harts.
struct InterruptRegisters: Equatable {
  /// Sources 1 to 95, as on QEMU's board.
  static let sourceCount = 96
  static let words = sourceCount / 32
  /// Three bits of priority.
  static let highestPriority: UInt8 = 7

  struct Context: Equatable {
    var enabled = [UInt32](repeating: 0, count: words)
    var threshold: UInt8 = 0
  }

  /// What devices hold their lines at. Not carried: each device says it anew.
  private var levels = [UInt32](repeating: 0, count: words)
  /// Requests that wait to be claimed. One is made by a line that is high while its source has none under way, and is
  /// there also when the line has fallen since.
  private var pending = [UInt32](repeating: 0, count: words)
  /// Claimed and not completed: no request is made for such a source, whatever its line says.
  private var claimed = [UInt32](repeating: 0, count: words)
  private var priorities = [UInt8](repeating: 0, count: sourceCount)
  private var contexts: [Context]
  /// Something was written or claimed since the start.
  private(set) var isInUse = false

  init(contexts: Int) { self.contexts = [Context](repeating: Context(), count: contexts) }

  mutating func reset() { replace(by: InterruptRegisters(contexts: contexts.count)) }

  /// Takes all but the lines' levels from `other`.
  mutating func replace(by other: InterruptRegisters) {
    let old = levels
    self = other
    levels = old
    for word in 0..<Self.words { request(word) }
  }

  /// Makes a request for each source whose line is high, and that has none under way.
  private mutating func request(_ word: Int) { pending[word] |= levels[word] & ~claimed[word] }

  /// Requests of 32 sources whose lines have fallen since: what the lines do not say anew.
  func latched(_ word: Int) -> UInt32 { pending[word] & ~levels[word] }

  /// Puts such requests in place, those of claimed sources and of the source that there is not left out.
  mutating func latch(_ requests: [UInt32]) {
    for (word, bits) in requests.prefix(Self.words).enumerated() {
      pending[word] |= bits & ~claimed[word] & (word == 0 ? ~1 : .max)
    }
  }

  mutating func setLevel(_ isHigh: Bool, source: Int) {
    precondition((1..<Self.sourceCount).contains(source), "the board has this source")
    let bit: UInt32 = 1 << (source % 32)
    levels[source / 32] = isHigh ? levels[source / 32] | bit : levels[source / 32] & ~bit
    request(source / 32)
  }

  /// The pending source of the highest priority above `least`, the lowest number among equals; 0 is none.
  private func best(_ context: Int, above least: UInt8) -> Int {
    var best = 0
    var priority = least
    for word in 0..<Self.words {
      var bits = pending[word] & contexts[context].enabled[word]
      while bits != 0 {
        let source = word * 32 + bits.trailingZeroBitCount
        bits &= bits - 1
        if priorities[source] > priority { (best, priority) = (source, priorities[source]) }
      }
    }
    return best
  }

  func isInterrupting(context: Int) -> Bool { best(context, above: contexts[context].threshold) != 0 }

  /// Answers the source to serve, which is not pending any more until it is completed; 0 where there is none. The
  /// threshold holds back interrupts, and no claim (PLIC specification 1.0.0, 7).
  mutating func claim(_ context: Int) -> Int {
    isInUse = true
    let source = best(context, above: 0)
    if source != 0 {
      pending[source / 32] &= ~(1 << (source % 32))
      claimed[source / 32] |= 1 << (source % 32)
    }
    return source
  }

  func read(_ register: InterruptRegister) -> UInt32 {
    switch register {
    case .priority(let source) where source < Self.sourceCount: UInt32(priorities[source])
    case .pending(let word) where word < Self.words: pending[word]
    case .enable(let context, let word) where context < contexts.count && word < Self.words:
      contexts[context].enabled[word]
    case .threshold(let context) where context < contexts.count: UInt32(contexts[context].threshold)
    default: 0
    }
  }

  mutating func write(_ value: UInt32, to register: InterruptRegister) {
    isInUse = true
    let priority = UInt8(truncatingIfNeeded: value) & Self.highestPriority
    switch register {
    case .priority(let source) where source > 0 && source < Self.sourceCount: priorities[source] = priority
    case .enable(let context, let word) where context < contexts.count && word < Self.words:
      // There is no source 0.
      contexts[context].enabled[word] = word == 0 ? value & ~1 : value
    case .threshold(let context) where context < contexts.count: contexts[context].threshold = priority
    case .claim(let context) where context < contexts.count && value < UInt32(Self.sourceCount):
      // Also where the context has the source not enabled.
      claimed[Int(value) / 32] &= ~(1 << (value % 32))
      request(Int(value) / 32)
    default: break
    }
  }
}

extension InterruptRegisters {
  func save(to writer: inout ByteWriter) {
    writer.write(UInt16(contexts.count))
    for priority in priorities { writer.write(priority) }
    for word in claimed { writer.write(word) }
    for context in contexts {
      writer.write(context.threshold)
      for word in context.enabled { writer.write(word) }
    }
  }

  mutating func restore(from reader: inout ByteReader) throws(StateError) {
    isInUse = true
    let count = try reader.read(UInt16.self)
    guard Int(count) == contexts.count else { throw .invalid("interrupt contexts", UInt64(count)) }
    for source in 0..<Self.sourceCount {
      priorities[source] = try reader.read(below: Self.highestPriority + 1, "interrupt priority")
    }
    for word in 0..<Self.words { claimed[word] = try reader.read() }
    for context in contexts.indices {
      contexts[context].threshold = try reader.read(below: Self.highestPriority + 1, "interrupt threshold")
      for word in 0..<Self.words { contexts[context].enabled[word] = try reader.read() }
    }
    try reader.finish()
    guard priorities[0] == 0, claimed[0] & 1 == 0, contexts.allSatisfy({ $0.enabled[0] & 1 == 0 }) else {
      throw .invalid("interrupt source", 0)
    }
  }
}
