public import FSRHandoff
internal import FSRSystem

/// What is to become of a VM's swap file in a handoff.
public enum SwapWish: Equatable, Sendable {
  /// The new VMM goes on with the same file.
  case shared
  /// The new VMM gets a file of its own at this absolute path, into which the old one copies its pages, at most so many
  /// bytes a second.
  case mirrored(path: String, bytesPerSecond: UInt64?)

  private enum Name {
    static let file = "swap-file"
    static let rate = "copy-rate"
  }

  /// For a handoff's request.
  public var wishes: [HandoffWish] {
    switch self {
    case .shared: []
    case .mirrored(let path, let rate):
      [HandoffWish(Name.file, path)] + (rate.map { [HandoffWish(Name.rate, String($0))] } ?? [])
    }
  }

  /// Reads a request's.
  ///
  /// - Throws: `HandoffError` `refused` where something is wished that is not known here.
  init(_ wishes: [HandoffWish]) throws(HandoffError) {
    var path: String?
    var rate: UInt64?
    for wish in wishes {
      switch wish.name {
      case Name.file where wish.value.hasPrefix("/"): path = wish.value
      case Name.rate where UInt64(wish.value).map { $0 > 0 } == true: rate = UInt64(wish.value)
      default:
        throw .refused(
          Reason("the VMM does not know the wish '\(wish.name)' or its value", remedy: "use a newer one"))
      }
    }
    if let path {
      self = .mirrored(path: path, bytesPerSecond: rate)
    } else if rate == nil {
      self = .shared
    } else {
      throw .refused(
        Reason("a rate of copying, and no file to copy to", remedy: "name one with --swap-file"))
    }
  }
}
