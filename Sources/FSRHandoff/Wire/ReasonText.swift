internal import FSRSystem

/// A reason as it travels: one text, so that a build that knows no remedies shows all of it, and how many bytes of it are
/// the sentence.
struct ReasonText {
  /// UTF-8.
  let bytes: [UInt8]
  /// Bytes of the sentence; 0 where all of the text is the sentence.
  let sentence: UInt32

  private static let separator = "; "

  /// - Parameter limit: bytes that there is room for; what is longer is cut between two Unicode scalars.
  init(_ reason: Reason, limit: Int) {
    let whole = reason.what + (reason.remedy.map { Self.separator + $0 } ?? "")
    var bytes = Array(whole.utf8.prefix(limit))
    while String(validating: bytes, as: UTF8.self) == nil { bytes.removeLast() }
    self.bytes = bytes
    let hasRemedy = reason.remedy != nil && reason.what.utf8.count + Self.separator.utf8.count < bytes.count
    sentence = hasRemedy ? UInt32(reason.what.utf8.count) : 0
  }

  init(bytes: [UInt8], sentence: UInt32) {
    self.bytes = bytes
    self.sentence = sentence
  }

  /// What a peer has written; nil where it is no text. A place of the remedy that is not in the text is passed over.
  func reason(code: ReasonCode?) -> Reason? {
    guard let whole = String(validating: bytes, as: UTF8.self) else { return nil }
    let begin = Int(clamping: UInt64(sentence)) + Self.separator.utf8.count
    guard sentence > 0, begin < bytes.count,
      let what = String(validating: bytes.prefix(Int(sentence)), as: UTF8.self),
      let remedy = String(validating: bytes.dropFirst(begin), as: UTF8.self)
    else { return Reason(whole, code: code) }
    return Reason(what, remedy: remedy, code: code)
  }
}
