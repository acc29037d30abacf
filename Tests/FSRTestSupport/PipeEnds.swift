public import FSRSystem
import Glibc

/// A pipe (pipe(2)).
public struct PipeEnds: ~Copyable, Sendable {
  public var reading: OwnedDescriptor
  public var writing: OwnedDescriptor

  public init() throws {
    var numbers: [Int32] = [-1, -1]
    // SAFETY: two numbers, written by the call alone.
    guard unsafe pipe(&numbers) == 0 else { throw Absent() }
    for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    reading = OwnedDescriptor(adopting: numbers[0])
    writing = OwnedDescriptor(adopting: numbers[1])
  }

  /// The end to read from, with the other one closed here: who reads comes to the end once nobody else has that, be it that
  /// a program that was to write has never started.
  public consuming func onlyReading() -> OwnedDescriptor { reading }
}
