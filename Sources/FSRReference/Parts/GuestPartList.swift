internal import FSRHandoff

/// The parts of a guest, each listed here and nowhere else.
enum GuestPartList {
  /// A line of the list.
  struct Line: Sendable {
    /// What this build reads of such a part.
    let readableSections: [SectionVersion]
    private let part: @Sendable (ReferenceGuest) -> (any GuestPart)?

    /// - Parameter part: nil in a guest that has none.
    init<Part: GuestPart>(_ part: @escaping @Sendable (ReferenceGuest) -> Part?) {
      readableSections = (Part.self as? any CarriedPart.Type)?.readableSections ?? []
      self.part = { part($0) }
    }

    func part(of guest: ReferenceGuest) -> (any GuestPart)? { part(guest) }
  }

  /// The order of a manifest's slots and of a checkpoint's sections, which builds have in common.
  private static let lines: [Line] = [
    Line { $0.memory },
    Line { $0.console },
    Line { $0.image },
    Line { $0.drain },
    Line { $0.pump },
    Line { $0.clock },
    Line { $0.board },
    Line { $0.load },
    Line { $0.ports },
    Line { $0.pauseState },
    Line { $0.paging },
    Line { $0.scheduling },
    Line { $0.arrival },
  ]

  /// What this build reads, for as many vCPUs, ports and the like as there can be.
  static let readableSections = lines.flatMap(\.readableSections)

  /// The parts that `guest` has.
  static func parts(of guest: ReferenceGuest) -> GuestParts {
    GuestParts(lines.compactMap { $0.part(of: guest) })
  }

  /// The state of `guest`. It may come with sections of parts that it lacks: they mean nothing then.
  static func state(of guest: ReferenceGuest, _ parts: GuestParts) -> GuestState {
    let lacking = lines.filter { $0.part(of: guest) == nil }.flatMap(\.readableSections)
    return GuestState(of: parts, known: Set(lacking.map(\.name)))
  }
}
