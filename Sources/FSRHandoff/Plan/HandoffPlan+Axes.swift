internal import FSRSystem

/// Plans as axes and back.
extension HandoffPlan {
  private enum Axis: String {
    case depth, memory, swap, disks, verify
  }

  /// The axes that are not as they are by default.
  public var axes: [PlanAxis] {
    var axes: [PlanAxis] = []
    switch depth {
    case .handOver: break
    case .trial: axes.append(PlanAxis(Axis.depth.rawValue, "trial"))
    }
    switch memory {
    case .share: break
    }
    switch swap {
    case .shared: break
    case .mirrored(let path, let rate):
      let details =
        [PlanAxis.Detail("path", path)] + (rate.map { [PlanAxis.Detail("rate", String($0))] } ?? [])
      axes.append(PlanAxis(Axis.swap.rawValue, "mirrored", details))
    }
    switch disks {
    case .share: break
    }
    switch verify {
    case .load: break
    }
    return axes
  }

  /// The plan that `axes` ask for: what they do not name is as by default.
  ///
  /// - Throws: `HandoffError` `refused` for a needed axis, value or detail that is not known, by its name; and
  ///   `protocolViolation` for an axis or a detail that comes twice.
  public init(_ axes: [PlanAxis]) throws(HandoffError) {
    self.init()
    var seen: Set<String> = []
    for axis in axes {
      guard seen.insert(axis.name).inserted, Set(axis.details.map(\.name)).count == axis.details.count else {
        throw .protocolViolation("a plan that says something of '\(axis.name)' twice")
      }
      var next = self
      do throws(HandoffError) { try next.take(axis) } catch {
        if axis.isNeeded { throw error }
        continue
      }
      self = next
    }
  }

  private mutating func take(_ axis: PlanAxis) throws(HandoffError) {
    guard let name = Axis(rawValue: axis.name) else { throw axis.unknown }
    var details: Set<String> = []
    switch (name, axis.value) {
    case (.depth, "handOver"): depth = .handOver
    case (.depth, "trial"): depth = .trial
    case (.memory, "share"): memory = .share
    case (.swap, "shared"): swap = .shared
    case (.swap, "mirrored"):
      swap = try axis.mirrored
      details = ["path", "rate"]
    case (.disks, "share"): disks = .share
    case (.verify, "load"): verify = .load
    case (.depth, _), (.memory, _), (.swap, _), (.disks, _), (.verify, _): throw axis.unknownValue
    }
    if let detail = axis.details.first(where: { !details.contains($0.name) }) { throw axis.unknown(detail) }
  }
}

extension PlanAxis {
  fileprivate var mirrored: HandoffPlan.Swap {
    get throws(HandoffError) {
      guard let path = detail("path"), path.hasPrefix("/") else {
        throw .refused(
          Reason(
            "the new VMM is to have a swap file of its own, and no absolute path of one is said", code: .swap)
        )
      }
      guard let text = detail("rate") else { return .mirrored(path: path, bytesPerSecond: nil) }
      guard let rate = UInt64(text), rate > 0 else {
        throw .refused(Reason("'\(text)' is no rate of copying in bytes a second", code: .swap))
      }
      return .mirrored(path: path, bytesPerSecond: rate)
    }
  }

  fileprivate var unknown: HandoffError { Self.unknown("'\(name)'") }
  fileprivate var unknownValue: HandoffError { Self.unknown("'\(name)' as '\(value)'") }
  fileprivate func unknown(_ detail: Detail) -> HandoffError {
    Self.unknown("'\(detail.name)' of '\(name)'")
  }

  private static func unknown(_ what: String) -> HandoffError {
    .refused(
      Reason(
        "the VMM does not know \(what) in a handoff's plan",
        remedy: "hand the VM over to a newer build first, without it", code: .version))
  }
}
