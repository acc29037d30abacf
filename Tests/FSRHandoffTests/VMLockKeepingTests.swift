import FSRHandoff
import FSRSystem
import FSRTestSupport
import Testing

/// What keeps a VM's lock, and what does not.
@Suite struct VMLockKeepingTests {
  /// A process that is being started has a duplicate of every descriptor for a moment: who gives the lock back says so.
  @Test func aDuplicateOfItsDescriptorDoesNotKeepIt() throws {
    let temporary = try TemporaryDirectory()
    var copy: Owned<OwnedDescriptor>?
    do {
      let lock = Owned(try VMLockTests.taken(temporary.directory))
      let folder = try Directory.open("/proc/self/fd")
      let number = try folder.names(limit: 10_000).compactMap { Int32($0) }.first {
        (try? folder.readLink("\($0)")) == temporary.path + "/lock"
      }
      copy = Owned(
        try ProcessDescriptor.open(pid: ProcessIdentity.current().pid).copyDescriptor(number ?? -1))
      #expect(try VMLockTests.tried(temporary.directory) == .held(.current()))
      withExtendedLifetime(lock) {}
    }
    #expect(try VMLockTests.tried(temporary.directory) == .taken)
    withExtendedLifetime(copy) {}
  }

  @Test func aBeatIsTheHoldersAndChangesNothingElse() throws {
    let temporary = try TemporaryDirectory()
    let lock = Owned(try VMLockTests.taken(temporary.directory))
    for time in [7, .max, 1] as [UInt64] {
      lock.value.beat(at: time)
      guard case .held(by: let holder?) = try VMLock.look(in: temporary.directory) else { throw Absent() }
      #expect(holder.heartbeat == time && holder.identity == .current())
    }
  }
}
