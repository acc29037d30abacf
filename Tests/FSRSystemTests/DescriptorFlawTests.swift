import FSRSystem
import FSRTestSupport
import Testing

@Suite struct DescriptorFlawTests {
  @Test(arguments: BoundDescriptor.allCases) func whatAnotherProcessCannotUseIsSeen(_ kind: BoundDescriptor)
    throws
  {
    guard let made = try kind.make() else { return }
    let flaw = try made.flaw()
    #expect(flaw == kind.flaw)
    var bag = DescriptorBag()
    bag.append(try OwnedDescriptor.open("/dev/null", .read))
    bag.append(made)
    let (first, second) = (try bag.flaw(at: 0), try bag.flaw(at: 1))
    #expect(first == nil && second == kind.flaw)
  }

  @Test func whatCanBeUsedHasNone() throws {
    let place = try TemporaryDirectory()
    var bag = DescriptorBag()
    bag.append(try Memfd.create(name: "test", size: 4096))
    bag.append(try place.directory.openFile("file", .append))
    bag.append(try place.directory.duplicate().release())
    let pair = try UnixSocket.pair()
    bag.append(try pair.a.descriptor.duplicate())
    bag.append(try EventDescriptor().descriptor.duplicate())
    bag.append(try OwnedDescriptor.open("/proc/self/exe", .read))
    bag.append(try OwnedDescriptor.open("/dev/zero", .readWrite))
    for index in 0..<bag.count {
      let flaw = try bag.flaw(at: index)
      #expect(flaw == nil, "\(index)")
    }
  }

  @Test func whatIsNotInTheBagIsClosed() throws {
    var bag = DescriptorBag()
    bag.append(try OwnedDescriptor.open("/dev/null", .read))
    _ = bag.take(0)
    let (taken, never) = (try bag.flaw(at: 0), try bag.flaw(at: 7))
    #expect(taken == .closed && never == .closed)
  }

  /// The guest of a VM whose network is gone is no better off in an old VMM.
  @Test func aTapHasNoneWhenItsInterfaceIsGone() async throws {
    let flaws = try await TestNetwork.run {
      try TestNetwork.makeTap("t0")
      let queue = try TapQueue.attach("t0", isMultiQueue: false)
      let before = try queue.descriptor.flaw()
      try TestNetwork.remove("t0")
      return [before, try queue.descriptor.flaw()]
    }?.get()
    if let flaws { #expect(flaws == [nil, nil]) }
  }
}
