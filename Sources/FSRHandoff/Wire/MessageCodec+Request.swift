internal import FSRState

/// A handoff's request as fields and back.
extension Message {
  /// Writes what `version` has words for, and answers the kind of message that they are. Where version 1 has none for a part,
  /// the plan goes as it is: a source that does not know the kind hands nothing over.
  static func put(_ request: HandoffRequest, into fields: inout FieldWriter, speaking version: UInt16) -> Kind
  {
    fields.put(Tag.lowest, request.versions.lowerBound)
    fields.put(Tag.highest, request.versions.upperBound)
    fields.put(Tag.executable, request.executable)
    fields.put(Tag.fault, request.fault)
    guard version < HandoffProtocol.plans, let plan = try? request.plan else {
      fields.put(Tag.axes, list: request.axes) { axis, writer in
        writer.write(axis.name)
        writer.write(axis.value)
        writer.write(axis.isNeeded)
        writer.write(UInt32(axis.details.count))
        for detail in axis.details {
          writer.write(detail.name)
          writer.write(detail.value)
        }
      }
      return .plan
    }
    let former = FormerRequest(plan)
    if !former.wishes.isEmpty {
      fields.put(Tag.wishes, list: former.wishes) { wish, writer in
        writer.write(wish.name)
        writer.write(wish.value)
      }
    }
    return former.kind
  }

  static func request(_ kind: Kind, _ fields: FieldReader) throws(StateError) -> HandoffRequest {
    var request = HandoffRequest(
      executable: try fields.string(Tag.executable, limit: Manifest.textLimit),
      fault: try fields.string(Tag.fault, limit: FaultPlan.textLimit))
    request.versions = try versions(fields)
    request.axes = kind == .plan ? try axes(fields) : try FormerRequest(kind, wishes: wishes(fields)).axes
    return request
  }

  private static func axes(_ fields: FieldReader) throws(StateError) -> [PlanAxis] {
    // Who lost them would get another handoff than was asked for.
    if fields.bytes(Tag.axes) == nil { throw .invalid("missing field", UInt64(Tag.axes)) }
    return try fields.list(Tag.axes, limit: PlanAxis.limit) { reader throws(StateError) in
      let name = try reader.readString(limit: PlanAxis.nameLimit)
      let value = try reader.readString(limit: Manifest.textLimit)
      let isNeeded = try reader.readBool()
      let count = Int(try reader.read(UInt32.self))
      guard count <= PlanAxis.detailLimit else { throw .tooLong(count, limit: PlanAxis.detailLimit) }
      var details: [PlanAxis.Detail] = []
      for _ in 0..<count {
        details.append(
          PlanAxis.Detail(
            try reader.readString(limit: PlanAxis.nameLimit),
            try reader.readString(limit: Manifest.textLimit)))
      }
      return PlanAxis(name, value, details, isNeeded: isNeeded)
    }
  }

  private static func wishes(_ fields: FieldReader) throws(StateError) -> [FormerRequest.Wish] {
    try fields.list(Tag.wishes, limit: FormerRequest.wishLimit) { reader throws(StateError) in
      FormerRequest.Wish(
        name: try reader.readString(limit: FormerRequest.wishNameLimit),
        value: try reader.readString(limit: Manifest.textLimit))
    }
  }
}
