internal import FSRState
internal import FSRSystem

/// Messages as bytes and back.
extension Message {
  enum Kind: UInt16 {
    case request = 1
    case accepted, refused, hello, agreed, manifest, prepared, holding
    /// Requests of protocol version 1 (`FormerRequest`).
    case trial, wishingRequest, wishingTrial
    /// A request by a plan; `request` is one of version 1.
    case plan
  }

  enum Tag {
    static let lowest: UInt16 = 1
    static let highest: UInt16 = 2
    static let executable: UInt16 = 3
    static let fault: UInt16 = 4
    static let reason: UInt16 = 5
    static let isSuccessor: UInt16 = 6
    static let sections: UInt16 = 7
    static let version: UInt16 = 8
    static let build: UInt16 = 9
    /// Left out where there is none; a reader that does not know it has the reason.
    static let code: UInt16 = 10
    static let wishes: UInt16 = 11
    /// Bytes of the reason before its remedy; left out where it has none.
    static let sentence: UInt16 = 12
    static let axes: UInt16 = 13
  }

  private static let buildLimit = 128

  /// The packet's bytes.
  public var encoded: [UInt8] { encoded(speaking: HandoffProtocol.versions.upperBound) }

  /// The packet's bytes for who speaks `version` and none that is higher.
  public func encoded(speaking version: UInt16) -> [UInt8] {
    var fields = FieldWriter()
    let kind: Kind
    switch self {
    case .request(let request):
      kind = Self.put(request, into: &fields, speaking: version)
    case .hello(let hello):
      kind = .hello
      fields.put(Tag.lowest, hello.versions.lowerBound)
      fields.put(Tag.highest, hello.versions.upperBound)
      fields.put(Tag.isSuccessor, UInt8(hello.isSuccessor ? 1 : 0))
      fields.put(Tag.fault, hello.fault)
      fields.put(Tag.build, hello.build)
      fields.put(Tag.sections, list: hello.sections) { section, writer in
        writer.write(section.name)
        writer.write(section.version)
        writer.write(section.isNeeded)
      }
    case .agreed(let agreement):
      kind = .agreed
      fields.put(Tag.version, agreement.version)
      fields.put(Tag.build, agreement.build)
    case .refused(let reason):
      kind = .refused
      let text = ReasonText(reason, limit: Self.reasonLimit)
      fields.put(Tag.reason, String(decoding: text.bytes, as: UTF8.self))
      if let code = reason.code { fields.put(Tag.code, code.rawValue) }
      if text.sentence > 0 { fields.put(Tag.sentence, text.sentence) }
    case .accepted: kind = .accepted
    case .manifest: kind = .manifest
    case .prepared: kind = .prepared
    case .holding: kind = .holding
    }
    var writer = ByteWriter()
    writer.write(kind.rawValue)
    return writer.bytes + fields.bytes
  }

  /// - Throws: `HandoffError` for a kind that is not known, or fields that are not its own.
  public init(decoding bytes: [UInt8]) throws(HandoffError) {
    do throws(StateError) {
      var reader = ByteReader(bytes)
      let number = try reader.read(UInt16.self)
      guard let kind = Kind(rawValue: number) else {
        throw StateError.invalid("message kind", UInt64(number))
      }
      self = try Self.decode(kind, try FieldReader(try reader.read(count: reader.remaining)))
    } catch { throw .state(error) }
  }

  private static func decode(_ kind: Kind, _ fields: FieldReader) throws(StateError) -> Message {
    switch kind {
    case .accepted: return .accepted
    case .manifest: return .manifest
    case .prepared: return .prepared
    case .holding: return .holding
    case .refused:
      let text = try fields.string(Tag.reason, limit: reasonLimit)
      let number = fields.bytes(Tag.code) == nil ? 0 : try fields.integer(Tag.code, as: UInt32.self)
      let sentence = fields.bytes(Tag.sentence) == nil ? 0 : try fields.integer(Tag.sentence, as: UInt32.self)
      let code = ReasonCode(rawValue: number)
      let reason = ReasonText(bytes: Array(text.utf8), sentence: sentence).reason(code: code)
      return .refused(reason ?? Reason(text, code: code))
    case .agreed:
      return .agreed(
        Agreement(
          version: try fields.integer(Tag.version), build: try fields.string(Tag.build, limit: buildLimit)))
    case .request, .trial, .wishingRequest, .wishingTrial, .plan: return .request(try request(kind, fields))
    case .hello:
      let sections = try fields.list(Tag.sections, limit: SectionVersion.limit) { reader throws(StateError) in
        SectionVersion(
          name: try reader.readString(limit: Checkpoint.nameLimit), version: try reader.read(),
          isNeeded: try reader.readBool())
      }
      var hello = Hello(
        isSuccessor: try fields.integer(Tag.isSuccessor, as: UInt8.self) != 0, sections: sections,
        build: try fields.string(Tag.build, limit: buildLimit),
        fault: try fields.string(Tag.fault, limit: FaultPlan.textLimit))
      hello.versions = try versions(fields)
      return .hello(hello)
    }
  }

  static func versions(_ fields: FieldReader) throws(StateError) -> ClosedRange<UInt16> {
    let lowest = try fields.integer(Tag.lowest, as: UInt16.self)
    let highest = try fields.integer(Tag.highest, as: UInt16.self)
    guard lowest <= highest else { throw .invalid("protocol range", UInt64(lowest)) }
    return lowest...highest
  }
}
