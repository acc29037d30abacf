/// The answer of `fsr recover` and `fsr abort`: who owns the VM now, and why.
package struct OwnerAnswer: Answer {
  @Nullable var name: String?
  /// `source`, `destination`, `successor` or `none`.
  @Nullable var owner: String?
  @Nullable var pid: Int32?
  @Nullable var generation: UInt64?
  @Nullable var reason: String?

  /// For people.
  var lines: [String] {
    let who = pid.map { " (process \($0))" } ?? ""
    let why = reason.map { ": \($0)" } ?? ""
    return ["\(name ?? "-"): owned by the \(owner ?? "-")\(who), generation \(generation ?? 0)\(why)"]
  }
}

extension AnsweringCommand where Reply == OwnerAnswer {
  static func blank(name: String?, reason: String) -> OwnerAnswer {
    OwnerAnswer(name: name, owner: "none", reason: reason)
  }

  func lines(of reply: OwnerAnswer) -> [String] { reply.lines }
}
