/// The worlds that are explored: each has much of one thing, and little of the others.
extension MirrorRouteTests {
  private static func make(_ change: (inout MirrorModel.Bounds) -> Void) -> MirrorModel.Bounds {
    var bounds = MirrorModel.Bounds()
    change(&bounds)
    return bounds
  }

  static let bounds = [
    make {
      $0.writes = 3
      $0.blocks = 3
      $0.used = 0b111
      $0.leastWorlds = 120_000
    },
    make {
      $0.writes = 3
      $0.chunk = 2
      $0.leastWorlds = 500_000
    },
    make {
      $0.blocks = 5
      $0.used = 0b11111
      $0.chunk = 2
      $0.failures = 1
      $0.leastWorlds = 300_000
    },
    make {
      $0.writes = 3
      $0.room = 1
      $0.blocks = 2
      $0.used = 0b11
      $0.failures = 1
      $0.isCancelled = true
      $0.leastWorlds = 90_000
    },
    make {
      $0.used = 0b0101
      $0.allocations = 2
      $0.frees = 1
      $0.chunk = 2
      $0.isWoken = false
      $0.leastWorlds = 80_000
    },
    make {
      $0.blocks = 2
      $0.used = 0b01
      $0.growths = 2
      $0.allocations = 2
      $0.leastWorlds = 250_000
    },
    make {
      $0.blocks = 2
      $0.used = 0b11
      $0.growths = 1
      $0.allocations = 1
      $0.failures = 2
      $0.isCancelled = true
      $0.leastWorlds = 300_000
    },
    make {
      $0.blocks = 3
      $0.used = 0b111
      $0.hasEarlierWrite = true
      $0.failures = 1
      $0.isCancelled = true
      $0.leastWorlds = 80_000
    },
  ]
}
