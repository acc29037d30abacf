internal import FSRHandoff
internal import FSRMachine
internal import FSRState
internal import FSRSystem

/// The guest's ELF, which a reset starts again.
final class GuestImage: DescribedPart {
  private let file: Owned<OwnedDescriptor>

  init(_ file: consuming OwnedDescriptor) { self.file = Owned(file) }

  /// One that comes from another process; nil where its VMM has kept none.
  ///
  /// - Throws: `HandoffError.protocolViolation` for what is no file.
  static func take(from description: inout GuestDescription) throws -> GuestImage? {
    guard description.manifest.slots.contains(ReferenceGuest.Slot.image) else { return nil }
    let image = GuestImage(try description.take(ReferenceGuest.Slot.image))
    guard try image.file.value.isPlainFile() else {
      throw HandoffError.protocolViolation("a guest's image that is no file")
    }
    return image
  }

  func describe(into description: inout GuestDescription) throws {
    description.add(ReferenceGuest.Slot.image, try file.value.duplicate())
  }

  /// - Throws: `ELFError`, `SystemError`.
  func read(limit: Int) throws -> ELFImage { try ELFImage(file.value.readAll(limit: limit)) }
}
