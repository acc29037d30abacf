import FSRHandoff
import FSRState
import FSRSystem

// A destination that does not do what it should: what that is, its file's name says.

/// The sections of a soft guest with two harts, as this build writes them.
func sections(uart: UInt16 = 1, harts: Int = 2) -> [SectionVersion] {
  let names = ["clock", "board", "clint", "plic", "paused"] + (0..<harts).map { "hart.\($0)" }
  return names.map { SectionVersion(name: $0, version: 1) } + [SectionVersion(name: "uart", version: uart)]
}

func negotiate(_ socket: consuming UnixSocket, _ sections: [SectionVersion]) throws {
  _ = try DestinationSession(socket: socket) { OtherVMM(sections) }.run()
}

/// Takes the hello, says `answers` one by one, and waits for the other side to hang up.
func say(_ answers: [Message], _ socket: consuming UnixSocket, descriptors count: Int = 0) throws {
  let channel = try HandoffLink(socket)
  _ = try channel.receive(timeout: 60_000_000_000, from: "source")
  var bag = DescriptorBag()
  for _ in 0..<count { bag.append(try OwnedDescriptor.open("/dev/null", .read)) }
  for answer in answers { try channel.send(answer, descriptors: bag) }
  while try channel.receive(timeout: 60_000_000_000, from: "source") != nil {}
}

func sendRaw(_ bytes: [UInt8], _ socket: consuming UnixSocket) throws {
  _ = try socket.receive(limit: UnixSocket.messageLimit, maximumDescriptors: 8, timeout: 60_000_000_000)
  try socket.send(bytes)
  _ = try socket.receive(limit: UnixSocket.messageLimit, maximumDescriptors: 64, timeout: 60_000_000_000)
}

func misbehave(_ socket: consuming UnixSocket) throws {
  let agreed = Message.agreed(Agreement(version: 1, build: "other"))
  switch try Executable.path().split(separator: "/").last {
  case "older-section": try negotiate(socket, sections(uart: 0))
  case "lacks-a-section": try negotiate(socket, sections(harts: 1))
  case "newer-section": try negotiate(socket, sections(uart: 2))
  case "other-protocol": try say([.agreed(Agreement(version: 99, build: "other"))], socket)
  case "other-message": try say([.prepared], socket)
  case "agrees-twice": try say([agreed, agreed], socket)
  case "refuses-at-length": try say([.refused(Reason(String(repeating: "no; ", count: 4000)))], socket)
  case "prepares": try say([agreed, .prepared], socket)
  case "sends-descriptors": try say([agreed], socket, descriptors: 60)
  case "unknown-kind": try sendRaw([0xff, 0x7f, 1, 2, 3], socket)
  case "field-twice": try sendRaw([5, 0] + [8, 0, 2, 0, 0, 0, 1, 0] + [8, 0, 2, 0, 0, 0, 1, 0], socket)
  case "length-that-lies": try sendRaw([5, 0, 8, 0, 0xff, 0xff, 0xff, 0xff, 1], socket)
  case "one-byte": try sendRaw([5], socket)
  case "large": try sendRaw([UInt8](repeating: 5, count: UnixSocket.messageLimit), socket)
  case "waits":
    // Asked for now and then, so that it is not closed as something that nobody needs any more.
    while try socket.peer().pid != 0 { MonotonicClock.sleep(1_000_000_000) }
  case "spoils-the-word":
    try SpoilingVMM.run(socket) { try $0.descriptor.write([UInt8](repeating: 0x7f, count: 8), at: 64) }
  case "spoils-the-block":
    try SpoilingVMM.run(socket) { try $0.descriptor.write([UInt8](repeating: 0xff, count: 8192), at: 0) }
  case "cuts-the-block": try SpoilingVMM.run(socket) { try $0.descriptor.truncate(to: 0) }
  case let other: throw HandoffError.protocolViolation("nothing is known to do as \(other ?? "-")")
  }
}

guard let number = Environment.take(DestinationStart.variable).flatMap({ Int32($0) }), number > 2 else {
  throw HandoffError.protocolViolation("no \(DestinationStart.variable)")
}
try misbehave(UnixSocket(adopting: OwnedDescriptor(adopting: number)))
