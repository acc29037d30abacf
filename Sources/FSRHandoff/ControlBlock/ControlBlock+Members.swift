public import FSRSystem

/// Parties of several processes: a VMM and those that work for it, which live, are fenced and are released together.
extension ControlBlock {
  /// Processes that a party may have beside the one that takes part.
  public static var memberLimit: Int { BlockLayout.memberLimit }

  /// Writes down which processes belong to `party` beside the one that it is enrolled as; they are of that one's boot and
  /// PID namespace. Builds that do not know of them see that one alone.
  ///
  /// - Throws: `HandoffError.badBlock` where they are more than a block has room for.
  public func enroll(further members: [ProcessIdentity], of party: Party) throws(HandoffError) {
    guard members.count <= BlockLayout.memberLimit else {
      throw .badBlock(
        "\(members.count) further processes are more than the \(BlockLayout.memberLimit) that it names")
    }
    region.atomicStore(UInt32(0), at: BlockLayout.members(party))
    for (index, member) in members.enumerated() {
      let place = BlockLayout.member(index, of: party)
      region.store(member.pid, at: place)
      region.store(member.startTime, at: BlockLayout.memberStart(index, of: party))
    }
    region.atomicStore(UInt32(members.count), at: BlockLayout.members(party))
  }

  /// Every process of `party`, the one that takes part first; empty before it takes part.
  public func identities(of party: Party) -> [ProcessIdentity] {
    guard let first = identity(of: party) else { return [] }
    let count = Int(region.atomicLoad(BlockLayout.members(party), as: UInt32.self))
    // Written over: those that stand there are nobody.
    guard count <= BlockLayout.memberLimit else { return [first] }
    return [first]
      + (0..<count).map { index in
        let place = BlockLayout.member(index, of: party)
        return ProcessIdentity(
          pid: region.load(place), startTime: region.load(BlockLayout.memberStart(index, of: party)),
          bootID: first.bootID)
      }
  }
}
