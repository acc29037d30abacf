import FSRHandoff
import FSRTestSupport
import Testing

@Suite struct ResumeWordTests {
  struct Edge: Hashable {
    let old: ResumeState
    let new: ResumeState
    let party: Party
  }

  /// The table of the protocol, as a person reads it: from, to, by whom.
  static let table: [(ResumeState, ResumeState, [Party])] = [
    (.none, .destVerify, [.destination]),
    (.none, .source, [.source, .coordinator]),
    (.destVerify, .source, [.source, .coordinator, .destination]),
    (.source, .resumed, [.source]),
    (.destVerify, .destination, [.destination]),
    (.none, .successor, [.coordinator]),
    (.destVerify, .successor, [.coordinator]),
    (.source, .successor, [.coordinator]),
  ]

  static let allowed = Set(table.flatMap { row in row.2.map { Edge(old: row.0, new: row.1, party: $0) } })

  @Test func exactlyTheTableIsAllowed() {
    for old in ResumeState.allCases {
      for new in ResumeState.allCases {
        for party in Party.allCases {
          let edge = Edge(old: old, new: new, party: party)
          #expect(ResumeWord.allows(old, to: new, by: party) == Self.allowed.contains(edge), "\(edge)")
        }
      }
    }
    #expect(Self.allowed.count == 11)
  }

  @Test func noEdgeLeavesATerminalState() {
    for state in ResumeState.allCases {
      let isLeft = Self.allowed.contains { $0.old == state }
      #expect(state.isTerminal != isLeft)
    }
  }

  @Test func twoStatesSayThatSomebodyRuns() {
    #expect(ResumeState.allCases.filter(\.isDecided) == [.resumed, .destination])
    #expect(ResumeState.allCases.filter(\.isTerminal) == [.resumed, .destination, .successor])
  }

  @Test func onlyWhoIsToRunMakesItsStateTerminal() {
    for edge in Self.allowed where edge.new == .resumed { #expect(edge.party == .source) }
    for edge in Self.allowed where edge.new == .destination { #expect(edge.party == .destination) }
    for edge in Self.allowed where edge.new == .successor { #expect(edge.party == .coordinator) }
  }

  @Test func bitsAreReadBack() {
    for state in ResumeState.allCases {
      for attempt in [0, 1, 0x8000_0000, UInt32.max] {
        let word = ResumeWord(attempt: attempt, state: state)
        #expect(ResumeWord(bits: word.bits, attempt: attempt) == word)
        #expect(ResumeWord(bits: word.bits, attempt: attempt &+ 1) == nil)
      }
    }
  }

  @Test func statesKeepTheirNumbers() {
    #expect(ResumeState.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6])
    #expect(ResumeWord(attempt: 0x0a0b_0c0d, state: .source).bits == 0x0a0b_0c0d_0000_0003)
  }

  @Test func otherBitsAreNoWord() {
    #expect(ResumeWord(bits: 0, attempt: 0) == nil)
    #expect(ResumeWord(bits: 7, attempt: 0) == nil)
    var chance = SeededGenerator(seed: 1)
    for _ in 0..<10_000 {
      let bits = chance.next()
      guard let word = ResumeWord(bits: bits, attempt: 3) else { continue }
      #expect(word.bits == bits)
    }
  }
}
