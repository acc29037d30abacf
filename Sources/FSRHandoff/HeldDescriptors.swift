public import FSRState
public import FSRSystem

/// The descriptors of a guest, as they travel: manifest, checkpoint, then one for each of the manifest's slots.
///
/// Whoever holds them can start a VMM that goes on with the guest from a complete checkpoint.
public struct HeldDescriptors: ~Copyable, Sendable {
  /// Manifest and checkpoint.
  static let descriptorsAhead = 2

  public let manifest: Manifest
  private let manifestMemory: OwnedDescriptor
  public let checkpoint: OwnedDescriptor
  private var slots: DescriptorBag

  /// Checks what came against what the manifest says.
  ///
  /// - Throws: `HandoffError` where the number, the size or the seals are not as they must be.
  public init(_ bag: consuming DescriptorBag) throws(HandoffError) {
    var bag = bag
    guard let first = bag.take(0), let second = bag.take(1) else {
      throw .protocolViolation("a manifest without its descriptors")
    }
    let manifest = try Self.check(first, second)
    guard bag.count == manifest.slots.count + 2 else {
      throw .protocolViolation("\(bag.count) descriptors for \(manifest.slots.count) slots")
    }
    var slots = DescriptorBag()
    for index in 0..<manifest.slots.count {
      guard let descriptor = bag.take(index + 2) else {
        throw .protocolViolation("a slot without its descriptor")
      }
      slots.append(descriptor)
    }
    self.init(manifest: manifest, manifestMemory: first, checkpoint: second, slots: slots)
  }

  private init(
    manifest: Manifest, manifestMemory: consuming OwnedDescriptor, checkpoint: consuming OwnedDescriptor,
    slots: consuming DescriptorBag
  ) {
    self.manifest = manifest
    self.manifestMemory = manifestMemory
    self.checkpoint = checkpoint
    self.slots = slots
  }

  private static func check(_ first: borrowing OwnedDescriptor, _ second: borrowing OwnedDescriptor)
    throws(HandoffError) -> Manifest
  {
    do {
      guard Memfd.isSizeSealed(first), Memfd.isSizeSealed(second) else {
        throw HandoffError.protocolViolation("memory whose size is not sealed")
      }
      let size = try first.size()
      guard size <= UInt64(Manifest.sizeLimit) else {
        throw HandoffError.protocolViolation("a manifest of \(size) bytes")
      }
      let manifest = try Manifest(decoding: try first.read(at: 0, count: Int(size)))
      guard try second.size() == manifest.checkpointCapacity else {
        throw HandoffError.protocolViolation("a checkpoint's memory of another size than told")
      }
      return manifest
    } catch let error as HandoffError { throw error } catch let error as StateError {
      throw .state(error)
    } catch let
      error as SystemError
    { throw .system(error) } catch { preconditionFailure("no other error is thrown here") }
  }

  /// The numbers of all of it, in the order in which it came.
  public var numbers: [Int32] { [manifestMemory.number, checkpoint.number] + slots.numbers }

  /// The number of the descriptor that leads to the source's own executable; nil where none came, and its path has to do.
  var program: Int32? {
    manifest.slots.firstIndex(of: Manifest.executableSlot).map { slots.numbers[$0] }
  }

  /// Second descriptors of the slots, in their order.
  public func duplicateSlots() throws(HandoffError) -> DescriptorBag {
    do throws(SystemError) { return try slots.duplicate() } catch { throw .system(error) }
  }

  /// Second descriptors of all of it, to send.
  public func duplicate() throws(HandoffError) -> DescriptorBag {
    do throws(SystemError) {
      var all = DescriptorBag()
      all.append(try manifestMemory.duplicate())
      all.append(try checkpoint.duplicate())
      var rest = try slots.duplicate()
      for index in 0..<rest.count { if let one = rest.take(index) { all.append(one) } }
      return all
    } catch { throw .system(error) }
  }

  /// All of it, in the order in which it came.
  public consuming func release() -> DescriptorBag {
    var all = DescriptorBag()
    all.append(manifestMemory)
    all.append(checkpoint)
    for index in 0..<slots.count { if let one = slots.take(index) { all.append(one) } }
    return all
  }
}
