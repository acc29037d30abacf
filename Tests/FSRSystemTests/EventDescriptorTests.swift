import FSRSystem
import Testing

@Suite struct EventDescriptorTests {
  @Test func theFlagGoesUpAndDown() throws {
    let event = try EventDescriptor()
    let before = try event.clear()
    try event.signal()
    try event.signal()
    let first = try event.clear()
    let second = try event.clear()
    #expect(!before && first && !second)
  }

  @Test func aDuplicateIsTheSameFlag() throws {
    let event = try EventDescriptor()
    try event.duplicate().signal()
    var poller = Poller()
    poller.watch(event.descriptor, token: 5)
    let ready = try poller.wait(timeout: 0)
    #expect(ready == [5])
  }
}
