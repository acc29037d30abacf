import FSRMemory
import FSRState
import FSRSystem
import FSRTestSupport
import Testing

/// The arithmetic of the ledger, and who may change what.
@Suite struct LedgerBookTests {
  static func process(_ pid: Int32) -> ProcessIdentity {
    ProcessIdentity(pid: pid, startTime: UInt64(pid) * 10, bootID: BootID(high: 1, low: 2))
  }

  static func machine(_ number: UInt64) -> MachineIdentity { MachineIdentity(high: 7, low: number) }

  static func record(
    _ vm: String, _ bytes: UInt64, owner: Int32 = 1, heir: Int32? = nil, node: Int = 0
  ) -> LedgerRecord {
    LedgerRecord(
      vm: vm, machine: machine(UInt64(vm.utf8.count)), bytes: bytes, node: node, owner: process(owner),
      heir: heir.map(process))
  }

  private static func refusal(_ body: () throws(LedgerError) -> Void) -> LedgerError? {
    do { try body() } catch { return error }
    return nil
  }

  @Test func whatFitsIsAdmittedToTheLastByteAndNotOneMore() {
    var book = LedgerBook()
    let first = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("a", 60), memory: 100) }
    let beyond = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("bb", 41), memory: 100) }
    let exact = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("bb", 40), memory: 100) }
    #expect(first == nil && exact == nil && book.reserved() == 100)
    #expect(beyond == .beyondCapacity(wanted: 41, reserved: 60, capacity: 100, node: 0))
    let full = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("ccc", 1), memory: 100) }
    #expect(full == .beyondCapacity(wanted: 1, reserved: 100, capacity: 100, node: 0))
    #expect(book.records.count == 2)
  }

  @Test func theRefusalNamesSumCapacityAndARemedy() {
    let text = "\(LedgerError.beyondCapacity(wanted: 3 << 20, reserved: 1 << 30, capacity: 1 << 30, node: 0))"
    #expect(text.contains("3M") && text.contains("1G of 1G on node 0") && text.contains("--capacity"))
  }

  @Test func aSumThatNoNumberHoldsIsRefused() {
    var book = LedgerBook(capacity: .max)
    let first = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("a", .max - 1), memory: 0)
    }
    let second = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("bb", 2), memory: 0) }
    #expect(first == nil)
    #expect(second == .beyondCapacity(wanted: 2, reserved: .max - 1, capacity: .max, node: 0))
    #expect(LedgerBook(records: [Self.record("a", .max), Self.record("bb", 9)]).reserved() == .max)
  }

  @Test func eachNodeHasACapacityOfItsOwn() {
    var book = LedgerBook()
    let one = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("a", 100), memory: 100) }
    let two = Self.refusal { () throws(LedgerError) in
      try book.admit(Self.record("bb", 50, node: 1), memory: 50)
    }
    #expect(one == nil && two == nil && book.reserved(on: 0) == 100 && book.reserved(on: 1) == 50)
  }

  @Test func aVMHasOneRecordAndALedgerALimitOfThem() {
    var book = LedgerBook(records: [Self.record("a", 1, owner: 5)])
    let again = Self.refusal { () throws(LedgerError) in try book.admit(Self.record("a", 1), memory: 100) }
    #expect(again == .taken(vm: "a", owner: 5))
    let many = (0..<LedgerBook.recordLimit).map { Self.record("vm\($0)", 1) }
    var full = LedgerBook(records: many)
    let over = Self.refusal { () throws(LedgerError) in try full.admit(Self.record("a", 1), memory: .max) }
    #expect(over == .full(limit: LedgerBook.recordLimit))
  }

  @Test func aCapacityBelowWhatIsReservedIsRefused() {
    var book = LedgerBook(capacity: 100, records: [Self.record("a", 60)])
    let less = Self.refusal { () throws(LedgerError) in try book.setCapacity(59) }
    #expect(less == .belowReserved(wanted: 59, reserved: 60) && book.capacity == 100)
    let exact = Self.refusal { () throws(LedgerError) in try book.setCapacity(60) }
    #expect(exact == nil && book.capacity == 60)
  }

  @Test func aHandoffChangesNamesAndNeverTheSum() {
    var book = LedgerBook(capacity: 60, records: [Self.record("a", 60, owner: 1)])
    let machine = Self.machine(1)
    let named = Self.refusal { () throws(LedgerError) in
      try book.name(heir: Self.process(2), of: "a", machine: machine, by: Self.process(1))
    }
    #expect(named == nil && book.reserved() == 60 && book.record(of: "a")?.heir == Self.process(2))
    let settled = Self.refusal { () throws(LedgerError) in
      try book.settle("a", machine: machine, on: Self.process(2))
    }
    #expect(settled == nil && book.records == [Self.record("a", 60, owner: 2)] && book.reserved() == 60)
  }

  @Test func onlyWhoIsNamedMayNameAnHeirAndAnHeirMayToo() {
    var book = LedgerBook(records: [Self.record("a", 60, owner: 1, heir: 2)])
    let stranger = Self.refusal { () throws(LedgerError) in
      try book.name(heir: Self.process(4), of: "a", machine: Self.machine(1), by: Self.process(3))
    }
    #expect(stranger == .taken(vm: "a", owner: 1))
    // A victor that could not write itself down hands over all the same.
    let heir = Self.refusal { () throws(LedgerError) in
      try book.name(heir: Self.process(4), of: "a", machine: Self.machine(1), by: Self.process(2))
    }
    #expect(heir == nil && book.records == [Self.record("a", 60, owner: 2, heir: 4)])
  }

  @Test func anotherMachineOfTheNameChangesNothing() {
    var book = LedgerBook(records: [Self.record("a", 60)])
    let before = book
    let named = Self.refusal { () throws(LedgerError) in
      try book.name(heir: Self.process(2), of: "a", machine: Self.machine(9), by: Self.process(1))
    }
    let settled = Self.refusal { () throws(LedgerError) in
      try book.settle("a", machine: Self.machine(9), on: Self.process(2))
    }
    let isRemoved = book.remove("a", machine: Self.machine(9))
    #expect(named == .missing(vm: "a") && settled == .missing(vm: "a") && !isRemoved && book == before)
    let isGone = book.remove("a", machine: Self.machine(1))
    #expect(isGone && book.records.isEmpty)
  }

  @Test func aRecordIsReclaimedOnlyWithBothDeadAndNobodyAtWork() {
    for ownerLives in [false, true] {
      for heir in [Int32?.none, 2] {
        for heirLives in [false, true] {
          for isAbandoned in [false, true] {
            var book = LedgerBook(records: [Self.record("a", 60, owner: 1, heir: heir)])
            let gone = book.reclaim(
              isAlive: { $0.pid == 1 ? ownerLives : heirLives }, isAbandoned: { _ in isAbandoned })
            let isFree = !ownerLives && !(heir != nil && heirLives) && isAbandoned
            #expect(gone.count == (isFree ? 1 : 0) && book.records.isEmpty == isFree)
          }
        }
      }
    }
  }

  // MARK: several nodes

  private static func shared(_ vm: String, _ bytes: UInt64, _ nodes: NodeSet) -> LedgerRecord {
    LedgerRecord(
      vm: vm, machine: machine(UInt64(vm.utf8.count)), bytes: bytes, nodes: nodes, owner: process(1))
  }

  @Test(arguments: [1, 4095, 4096, 4097, 5 * 4096, 1 << 30, .max] as [UInt64])
  func theSharesOfNodesAreWholePagesAndSumUp(bytes: UInt64) {
    for nodes in [[0], [0, 1], [1, 3, 63], Array(0..<64)] {
      let record = Self.shared("a", bytes, NodeSet(nodes)!)
      let shares = nodes.map(record.share(on:))
      #expect(shares.reduce(0, +) == bytes && record.share(on: 64) == 0 && record.share(on: -1) == 0)
      #expect(shares.dropFirst().allSatisfy { $0 % 4096 == 0 })
      #expect(shares.max()! - shares.min()! < 2 * 4096)
    }
  }

  @Test func everyNodeOfAVMMustHaveRoomForItsShare() {
    var book = LedgerBook(records: [Self.record("a", 8192, node: 1)])
    let both = NodeSet([0, 1])!
    let refused = Self.refusal { () throws(LedgerError) in
      try book.admit(Self.shared("bb", 8192, both)) { $0 == 0 ? 4096 : 8192 }
    }
    #expect(refused == .beyondCapacity(wanted: 4096, reserved: 8192, capacity: 8192, node: 1))
    let admitted = Self.refusal { () throws(LedgerError) in
      try book.admit(Self.shared("bb", 8192, both)) { $0 == 0 ? 4096 : 12288 }
    }
    #expect(admitted == nil && book.reserved(on: 0) == 4096 && book.reserved(on: 1) == 12288)
    let less = Self.refusal { () throws(LedgerError) in try book.setCapacity(12287) }
    #expect(less == .belowReserved(wanted: 12287, reserved: 12288))
  }

  /// Such a build writes what it knows, the first node; the VM's own process says the others again.
  @Test func whatABuildOfOneNodeLeavesOutIsCountedAgain() {
    var book = LedgerBook(records: [Self.record("a", 8192)])
    let stranger = Self.refusal { () throws(LedgerError) in
      try book.count("a", machine: Self.machine(9), on: NodeSet([0, 1])!)
    }
    let known = Self.refusal { () throws(LedgerError) in
      try book.count("a", machine: Self.machine(1), on: NodeSet([0, 1])!)
    }
    #expect(stranger == .missing(vm: "a") && known == nil)
    #expect(book.reserved(on: 0) == 4096 && book.reserved(on: 1) == 4096)
  }

  @Test func aRecordOfOneNodeIsWrittenAsBuildsReadItThatKnowNoOther() {
    let bytes = LedgerBook(records: [Self.record("a", 1, node: 7)]).encoded
    // What stood for nothing there: the last eight bytes ahead of the checksum.
    #expect(bytes[(bytes.count - 16)..<(bytes.count - 8)].allSatisfy { $0 == 0 })
  }

  // MARK: bytes

  private static let sample = LedgerBook(
    capacity: 1 << 40,
    records: [
      record("a", 1),
      record(String(repeating: "n", count: LedgerRecord.nameLimit), .max, owner: .max, heir: 3),
      record("ccc", 1 << 30, node: LedgerBook.nodeLimit),
      shared("dddd", 1 << 20, NodeSet([3, 66, 5])!),
    ])

  @Test func whatIsWrittenIsRead() throws {
    #expect(try LedgerBook(decoding: Self.sample.encoded) == Self.sample)
    #expect(try LedgerBook(decoding: LedgerBook().encoded) == LedgerBook())
    #expect(
      LedgerBook(records: (0..<LedgerBook.recordLimit).map { Self.record("vm\($0)", 1) }).encoded.count
        == LedgerBook.sizeLimit)
  }

  @Test func everyShorterOrLongerFileIsDamaged() {
    let whole = Self.sample.encoded
    for length in whole.indices {
      #expect(throws: StateError.self) { try LedgerBook(decoding: Array(whole[..<length])) }
    }
    #expect(throws: StateError.self) { try LedgerBook(decoding: whole + [0]) }
  }

  @Test func everyChangedBitIsDamage() {
    let whole = Self.sample.encoded
    for index in whole.indices {
      for bit in 0..<8 {
        var bytes = whole
        bytes[index] ^= 1 << UInt8(bit)
        #expect(throws: StateError.self) { try LedgerBook(decoding: bytes) }
      }
    }
  }

  @Test func recordsOfTwoVersionsAreDamageToo() {
    let old = Self.sample.encoded
    var book = Self.sample
    let isRemoved = book.remove("a", machine: Self.machine(1))
    #expect(isRemoved)
    let new = book.encoded
    let spliced = Array(new[..<(new.count - 176)]) + Array(old[(old.count - 176)...])
    #expect(throws: StateError.self) { try LedgerBook(decoding: spliced) }
  }

  @Test func rubbishIsDamageAndNeverATrap() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<2000 {
      let count = Int.random(in: 0...600, using: &generator)
      let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      #expect(throws: StateError.self) { try LedgerBook(decoding: bytes) }
    }
  }
}
