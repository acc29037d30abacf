import FSRSystem
import FSRTestSupport
import Testing

/// By which control group two processes are of one service.
@Suite struct ServiceGroupTests {
  @Test(arguments: [
    // Version 2 alone; both versions; version 1 alone.
    ("0::/system.slice/fsr@a.service\n", "0::/system.slice/fsr@a.service\n", true),
    ("0::/system.slice/fsr@a.service\n", "0::/system.slice/fsr@b.service\n", false),
    ("0::/system.slice/fsr@a.service\n", "0::/system.slice/fsr@a.service/below\n", false),
    ("4:memory:/a\n1:name=systemd:/s\n0::/\n", "4:memory:/b\n1:name=systemd:/s\n0::/\n", true),
    ("4:memory:/a\n1:name=systemd:/s\n0::/\n", "4:memory:/a\n1:name=systemd:/t\n0::/\n", false),
    ("1:name=systemd:/\n0::/a.service\n", "1:name=systemd:/\n0::/\n", false),
    ("1:name=systemd:/with:colons\n", "1:name=systemd:/with:others\n", false),
  ])
  func theServicesGroupIsCompared(one: String, other: String, isSame: Bool) throws {
    let first = try #require(ServiceGroup(parsing: one))
    let second = try #require(ServiceGroup(parsing: other))
    #expect((first == second) == isSame)
  }

  @Test(arguments: ["", "\n", "4:memory:/a\n", "nonsense", "0:/a\n"])
  func whereNoGroupIsNamedThereIsNone(text: String) { #expect(ServiceGroup(parsing: text) == nil) }

  @Test func aProcessHasItsOwnAndOneThatIsNotThereHasNone() {
    guard let own = ServiceGroup.own else {
      print("SKIPPED: this kernel has no control groups")
      return
    }
    #expect(ServiceGroup(of: ProcessDescriptor.ownNumber) == own)
    #expect(ServiceGroup(of: Int32.max) == nil)
  }
}
