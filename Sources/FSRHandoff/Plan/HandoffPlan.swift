/// What a handoff is to be like: a point of a small space, of which every axis has a default.
///
/// Whoever asks for a handoff writes one, and the source's VMM goes by it. What a VMM does not know of it and may not leave
/// out it refuses by name. An axis with a single value has its place here for those to come.
public struct HandoffPlan: Equatable, Sendable {
  /// How far it goes.
  public enum Depth: Equatable, Sendable {
    /// The guest runs in the destination.
    case handOver
    /// All is done that comes before the guest is stopped, and then called off.
    case trial
  }

  /// How guest memory gets to the destination.
  public enum Memory: Equatable, Sendable {
    /// Both map the same memfd; nothing is copied.
    case share
  }

  /// What becomes of the VM's swap file.
  public enum Swap: Equatable, Sendable {
    /// The destination goes on with the same file.
    case shared
    /// The destination gets a file of its own at this absolute path, into which the source copies its pages, at most so many
    /// bytes a second.
    case mirrored(path: String, bytesPerSecond: UInt64?)
  }

  /// What becomes of the VM's disks.
  public enum Disks: Equatable, Sendable {
    /// The destination goes on with the same files.
    case share
  }

  /// What the destination has to show before it may win.
  public enum Verify: Equatable, Sendable {
    /// It has loaded the state, and sections, memory layout and page directories agree.
    case load
  }

  public var depth = Depth.handOver
  public var memory = Memory.share
  public var swap = Swap.shared
  public var disks = Disks.share
  public var verify = Verify.load

  public init(depth: Depth = .handOver, swap: Swap = .shared) {
    self.depth = depth
    self.swap = swap
  }
}
