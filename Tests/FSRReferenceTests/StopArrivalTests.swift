import Testing

/// Every order in which harts come to the gate while a stop is asked for, comes to its deed, or is taken back.
@Suite struct StopArrivalTests {
  @Test(arguments: [(1, true), (2, true), (2, false), (3, true), (3, false)])
  func noOrderLosesAHartOrDoesWhatWasTakenBack(harts: Int, canBeFirstLast: Bool) throws {
    let isFirstLast = canBeFirstLast && harts > 1
    var worlds: Set<StopWorld> = [StopWorld(harts: harts, stops: 2)]
    var new = Array(worlds)
    var deeds = 0
    while let world = new.popLast() {
      try world.checkTold()
      let next = try world.next(isFirstLast: isFirstLast)
      if next.isEmpty { try world.checkRest() }
      if world.words.deeds == 1 { deeds += 1 }
      for other in next where worlds.insert(other).inserted { new.append(other) }
    }
    #expect(deeds > 0 && worlds.count > 50 * harts)
  }
}
