package import FSRSystem

/// Where and how urgently the threads of a floor measurement run.
struct FloorPlacement: Sendable {
  /// Real-time priorities: whoever is to run next is above whoever runs.
  enum Role: Int32, Sendable {
    case source = 1
    case destination = 2
    case controller = 3
  }

  /// Thread i runs on element i modulo their number.
  let cpus: [Int]
  /// Whether this user may, and the threads of one side do not take a CPU from each other, which among
  /// real-time threads that spin would last for ever.
  let isRealTime: Bool

  /// Tries out what the calling thread may do, and leaves it as it was.
  static func find(threads: Int) throws(SystemError) -> FloorPlacement {
    let cpus = try Scheduling.affinity(of: 0).cpus
    var isRealTime = false
    if threads <= cpus.count, try Scheduling.policy(of: 0) == .normal {
      isRealTime = try Scheduling.setFIFO(priority: Role.controller.rawValue, of: 0)
      if isRealTime { try Scheduling.setNormal(of: 0) }
    }
    return FloorPlacement(cpus: cpus, isRealTime: isRealTime)
  }

  /// Puts thread `index` of a side in its place.
  func place(_ thread: OSThread, index: Int, as role: Role) throws(SystemError) {
    if !cpus.isEmpty {
      try Scheduling.setAffinity(CPUSet([cpus[index % cpus.count]]), of: thread.threadID)
    }
    if isRealTime { _ = try Scheduling.setFIFO(priority: role.rawValue, of: thread.threadID) }
  }

  /// Runs `body` with the calling thread above both sides, and puts it back afterwards.
  func control<Result>(_ body: () throws(FloorError) -> Result) throws(FloorError) -> Result {
    guard isRealTime else { return try body() }
    do { _ = try Scheduling.setFIFO(priority: Role.controller.rawValue, of: 0) } catch {
      throw .system(error)
    }
    defer { try? Scheduling.setNormal(of: 0) }
    return try body()
  }
}

/// Why a floor could not be measured.
package enum FloorError: Error, Equatable, CustomStringConvertible {
  case system(SystemError)
  /// A thread did not get to this word of the board in time.
  case late(String)
  /// The destination started without the source's line.
  case torn

  package var description: String {
    switch self {
    case .system(let error): "the floor cannot be measured: \(error)"
    case .late(let word):
      "the floor's peer does not answer (waiting for '\(word)'); is the machine overloaded?"
    case .torn: "the floor's destination started before the source's state was there"
    }
  }
}
