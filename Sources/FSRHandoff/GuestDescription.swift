public import FSRState
public import FSRSystem

/// A guest in words and in descriptors.
@frozen public struct GuestDescription: ~Copyable, Sendable {
  public var manifest: Manifest
  public var descriptors: DescriptorBag
  /// The slots whose descriptors are meant to open nothing (O_PATH); of others that is refused.
  public var references: Set<String>
  /// The slots of files that the guest's VMM writes: a handoff is refused while another process has one of them open
  /// for writing.
  public var written: Set<String>

  public init(
    manifest: Manifest, descriptors: consuming DescriptorBag, references: Set<String> = [],
    written: Set<String> = []
  ) {
    self.manifest = manifest
    self.descriptors = descriptors
    self.references = references
    self.written = written
  }

  /// One more slot, with its descriptor.
  public mutating func add(_ slot: String, _ descriptor: consuming OwnedDescriptor) {
    manifest.slots.append(slot)
    descriptors.append(descriptor)
  }

  /// Takes the descriptor of a slot; the others keep their places.
  public mutating func take(_ slot: String) throws(StateError) -> OwnedDescriptor {
    guard let index = manifest.slots.firstIndex(of: slot), let descriptor = descriptors.take(index) else {
      throw .missingSection(slot)
    }
    return descriptor
  }
}
