import FSRHandoff
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// What a source looks at before it begins.
@Suite struct GuestDescriptionTests {
  private static func code(_ told: Message?) -> ReasonCode? {
    if case .refused(let reason) = told { reason.code } else { nil }
  }

  private static func reason(_ told: Message?) -> String {
    if case .refused(let reason) = told { reason.description } else { "" }
  }

  @Test(arguments: BoundDescriptor.allCases) func whatNobodyElseCanUseIsRefusedByName(_ kind: BoundDescriptor)
    throws
  {
    guard let made = try kind.make() else { return }
    var bag = DescriptorBag()
    bag.append(try Memfd.create(name: "test", size: 4096))
    bag.append(made)
    let source = StillSource(["memory", "vhost"], bag)
    let told = try source.handOver()
    #expect(Self.code(told) == .descriptor)
    #expect(Self.reason(told).hasPrefix("'vhost' cannot be handed over: "), "\(Self.reason(told))")
    let isTouched = source.isTouched.isUp
    #expect(!isTouched)
  }

  @Test func aReferenceThatIsMeantToBeOneGoes() throws {
    var bag = DescriptorBag()
    bag.append(try OwnedDescriptor.reference(to: "/dev/null"))
    let told = try StillSource(["disk"], bag, references: ["disk"]).handOver()
    #expect(told == .accepted)
  }

  @Test(arguments: [Manifest.slotLimit, Manifest.slotLimit + 1, 300])
  func asManyGoAsAManifestHasRoomFor(count: Int) throws {
    var bag = DescriptorBag()
    for _ in 0..<count { bag.append(try OwnedDescriptor.open("/dev/null", .read)) }
    let told = try StillSource((0..<count).map { "slot.\($0)" }, bag).handOver()
    if count > Manifest.slotLimit {
      #expect(Self.code(told) == .descriptor)
      #expect(Self.reason(told).contains("\(count) descriptors"))
    } else {
      #expect(told == .accepted)
    }
  }

  @Test func aNameWithoutADescriptorIsRefused() throws {
    var bag = DescriptorBag()
    bag.append(try OwnedDescriptor.open("/dev/null", .read))
    let told = try StillSource(["one", "two"], bag).handOver()
    #expect(Self.code(told) == .descriptor)
  }

  @Test func aFileThatAnotherProcessWritesIsRefusedByPathAndProcess() throws {
    let place = try TemporaryDirectory()
    func source(_ written: Set<String>) throws -> StillSource {
      var bag = DescriptorBag()
      bag.append(try place.directory.openFile("log", .append))
      return StillSource(["log"], bag, written: written)
    }
    let other = try Sleeper(having: try place.directory.openFile("log", .append))
    var told = try source(["log"]).handOver()
    #expect(Self.code(told) == .writers)
    let reason = Self.reason(told)
    #expect(
      reason.contains("process \(other.pid) (\(Sleeper.command)) has \(place.path)/log open"), "\(reason)")
    // One that is meant to have many writers.
    told = try source([]).handOver()
    #expect(told == .accepted)
    other.end()
    told = try source(["log"]).handOver()
    #expect(told == .accepted)
  }
}
