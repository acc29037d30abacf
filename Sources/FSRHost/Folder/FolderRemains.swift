/// What is left of a VM's files once it is no more.
package struct FolderRemains {
  /// Paths of what is fsr's, and could not be removed.
  package var stuck: [String] = []
  /// Paths of what is not fsr's, and was left alone for that.
  package var foreign: [String] = []

  /// How many paths are named.
  private static let namedLimit = 3

  package var isEmpty: Bool { stuck.isEmpty && foreign.isEmpty }

  static func + (one: FolderRemains, other: FolderRemains) -> FolderRemains {
    FolderRemains(stuck: one.stuck + other.stuck, foreign: one.foreign + other.foreign)
  }

  /// What is left and why, with what to do; to go on with after "is stopped, but".
  package var sentence: String {
    var parts: [String] = []
    if !stuck.isEmpty {
      parts.append("\(Self.list(stuck)) cannot be removed; see who has it (`fuser`), and `rm` it")
    }
    if !foreign.isEmpty {
      parts.append(
        foreign.count == 1
          ? "\(Self.list(foreign)) is not fsr's, and stays with its folder; look at it"
          : "\(Self.list(foreign)) are not fsr's, and stay with their folder; look at them")
    }
    return parts.joined(separator: ", and ")
  }

  private static func list(_ paths: [String]) -> String {
    let more = paths.count > namedLimit ? ["\(paths.count - namedLimit) more"] : []
    return (paths.prefix(namedLimit) + more).joined(separator: " and ")
  }
}
