import FSRGuestSupport
import FSRHandoff
import FSRHost
import FSRMachine
import FSRMemory
import FSRReference
import FSRState
import FSRTestSupport
import Foundation
import Testing

/// docs/protocol.md says all that is encoded, with the numbers that the sources have for it, and nothing else.
@Suite struct ProtocolPageTests {
  private let page: ProtocolPage

  init() throws { page = try ProtocolPage() }

  /// Both are the same; and something was found at all.
  private func expect(_ told: [String: UInt64], _ declared: [String: UInt64], _ what: String) {
    #expect(!declared.isEmpty, "nothing is found of \(what)")
    for (name, number) in declared where told[name] != number {
      Issue.record("docs/protocol.md does not say of \(what): \(number) `\(name)`")
    }
    for (name, number) in told where declared[name] == nil {
      Issue.record("docs/protocol.md says of \(what): \(number) `\(name)`, which is not there")
    }
  }

  private func expect(_ told: Set<String>, _ declared: Set<String>, _ what: String) {
    #expect(!declared.isEmpty, "nothing is found of \(what)")
    #expect(told == declared, "docs/protocol.md, \(what): \(told.symmetricDifference(declared).sorted())")
  }

  // MARK: fields

  /// Which heading stands above the fields of which file.
  private static let fields = [
    "FSRHandoff/Wire/MessageCodec.swift": "### Fields of messages",
    "FSRState/Manifest.swift": "## Manifest",
    "FSRStorage/Swap/SwapDescription.swift": "### swap",
    "FSRHost/Configuration/VMConfiguration.swift": "### configuration",
    "FSRHost/Configuration/PagingConfiguration.swift": "### The resident limit",
    "FSRHost/Configuration/TapPort.swift": "### ports",
    "FSRHost/Status/VMReport+Wire.swift": "### Status",
    "FSRHost/Status/VMReport+Paging.swift": "### Status of paging",
  ]

  @Test func itNamesEveryField() throws {
    for (path, heading) in Self.fields {
      let tags = try Declarations(path).inside("enum Tag {").constants("UInt16")
      expect(page.numbers(heading), tags, heading)
    }
    let others = try SourceTree.files(in: "Sources", endings: ["swift"]).filter {
      $0.text.contains("enum Tag {")
    }
    .map { String($0.path.dropFirst("Sources/".count)) }
    #expect(Set(others) == Set(Self.fields.keys), "fields of which no test knows where they are told of")
  }

  @Test func itNamesEveryMessage() throws {
    let kinds = try Declarations("FSRHandoff/Wire/MessageCodec.swift").inside("enum Kind: UInt16 {").cases()
    expect(page.numbers("## Messages"), kinds, "messages")
    // Held as bytes, each of them.
    let held = try FileManager.default.contentsOfDirectory(
      atPath: SourceTree.root.appendingPathComponent("Tests/FSRHandoffTests/Fixtures").path)
    for (name, number) in kinds {
      #expect(held.contains { $0.hasPrefix("message-\(number)-") }, "no fixture holds the message `\(name)`")
    }
  }

  @Test func itNamesEveryNumberOfPaging() throws {
    let numbers = try Declarations("FSRHost/Status/VMReport+Paging.swift").inside("static var numbers")
      .matches(#"\\\.([\w.]+)"#).map(\.0)
    #expect(numbers.count > 10)
    let text = page.text.replacingOccurrences(of: "\n", with: " ")
    for (index, name) in numbers.enumerated() {
      #expect(text.contains("\(index) `\(name)`"), "number \(index) of paging is \(name)")
    }
  }

  @Test func itNamesEveryRequestAnswerAndState() throws {
    let requests = ControlVerb.allCases.map { ("\($0)", UInt64($0.rawValue)) }
    let answers = PauseAnswer.allCases.map { ("\($0)", UInt64($0.rawValue)) }
    let told = page.numbers("## Requests")
    expect(told, Dictionary(uniqueKeysWithValues: requests + answers), "requests and answers")
    expect(page.names("### Status"), Set(VMState.allCases.map(\.rawValue)), "states of a VM")
    let uses = page.rows("### ports").first { $0.count > 1 && $0[1] == "`consumer`" }
    for use in TapPort.Consumer.allCases {
      #expect(uses?.last?.contains("\(use.rawValue) `\(use)`") == true, "a port's use: \(use)")
    }
  }

  @Test func itNamesEveryWishAndAxis() throws {
    let names = try Declarations("FSRHandoff/Wire/FormerRequest.swift").inside("enum Name {").texts()
    expect(page.names("### Requests of version 1"), names, "wishes")
    let plan = try Declarations("FSRHandoff/Plan/HandoffPlan+Axes.swift")
    let axes = plan.inside("enum Axis: String {").lists().flatMap { $0.split(separator: ",") }.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    expect(page.names("### Plans"), Set(axes), "axes")
    // Behind its axis, each value that is read.
    var told: Set<String> = []
    var axis = ""
    for row in page.rows("### Plans") where row.count > 2 && row[1].hasPrefix("`") {
      if !row[0].isEmpty { axis = row[0].filter { $0 != "`" } }
      told.insert("\(axis) \(row[1].filter { $0 != "`" })")
    }
    let read = try plan.inside("mutating func take(").matches(#"\(\.(\w+), "(\w+)"\)"#).map { "\($0) \($1)" }
    expect(told, Set(read), "values of axes")
  }

  // MARK: places

  @Test func itNamesEveryPlaceOfABlock() throws {
    let all = try Declarations("FSRHandoff/ControlBlock/BlockLayout.swift").inside("enum BlockLayout {")
    let (head, rest) = all.parts(at: "func party(")
    let (party, reason) = rest.parts(at: "func reason(")
    var offsets = try head.constants("UInt64")
    #expect(offsets.removeValue(forKey: "size") == 8192 && page.text.contains("A file of 8192 bytes"))
    for (name, offset) in try all.matches(#"static func (\w+)\(_ party: Party\) -> UInt64 \{ (\d+) \+"#) {
      offsets[name] = UInt64(offset)
    }
    expect(page.numbers("## Control block"), offsets, "the block")
    expect(page.numbers("### A party"), try party.constants("UInt64"), "a party")
    expect(page.numbers("### A reason"), try reason.constants("UInt64"), "a reason")
    for (name, size) in try all.matches(#"static func (\w+)\(_ party.*rawValue\) \* (\d+) \}"#) {
      let row = page.rows("## Control block").first { $0.count > 2 && $0[1] == "`\(name)`" }
      #expect(row?[2] == "\(size) each", "\(name) takes \(size) bytes for each party")
    }
  }

  @Test func itNamesEveryPlaceOfSharedMemory() throws {
    let console = try Declarations("FSRHost/Console/ConsoleLayout.swift").constants("UInt64")
      .filter { $0.key != "inputSlots" }
    expect(page.numbers("## Console"), console, "the console")
    for (path, ending, heading) in [
      ("FSRMemory/Paging/PageTableLayout.swift", "At", "### Page table"),
      ("FSRMemory/Paging/CompressionCache.swift", "At", "### Compression cache"),
      ("FSRStorage/Swap/SlotBitmap.swift", "Word", "### Slot bitmap"),
    ] {
      let places = try Declarations(path).constants("UInt64").filter { $0.key.hasSuffix(ending) }
        .map { (String($0.key.dropLast(ending.count)), $0.value) }
      expect(page.numbers(heading), Dictionary(uniqueKeysWithValues: places), heading)
    }
  }

  // MARK: names

  @Test func itNamesEverySlot() throws {
    let slots = try Declarations("FSRReference/Guest/ReferenceGuest.swift").inside("enum Slot {").texts()
      .union(Declarations("FSRReference/Paging/GuestPaging.swift").inside("enum Slot {").texts())
      .union(Declarations("FSRService/Handoff/ServedSource.swift").inside("enum Slot {").texts())
    expect(page.names("### Slots"), slots.union([Manifest.executableSlot, "tap.P.Q"]), "slots")
  }

  /// Version and need of each section in the tables.
  private func sections(_ heading: String) -> [String: String] {
    var found: [String: String] = [:]
    for row in page.rows(heading) where row.count > 2 && row[0].hasPrefix("`") {
      found[row[0].filter { $0 != "`" }] = "\(row[1]) \(row[2])"
    }
    return found
  }

  /// A section's name with N for its number.
  private static func general(_ name: String) -> String {
    let parts = name.split(separator: ".")
    return parts.count == 2 && Int(parts[1]) != nil ? "\(parts[0]).N" : name
  }

  @Test func itNamesEverySectionOfABoard() throws {
    let rig = try GuestRig(memory: GuestMemory(size: 1 << 20), harts: 2)
    let told = sections("### Sections")
    for section in rig.sections.declared {
      let declared = "\(section.version) \(section.isNeeded ? "yes" : "no")"
      #expect(told[Self.general(section.name)] == declared, "the section \(section.name): version and need")
    }
  }

  @Test func itNamesEverySectionOfAGuest() throws {
    var named: Set<String> = []
    let rooms = ["Sources/FSRHost", "Sources/FSRReference"]
    for file in try rooms.flatMap({ try SourceTree.files(in: $0, endings: ["swift"]) }) {
      let declared = try Declarations(String(file.path.dropFirst("Sources/".count)))
      for pattern in [
        #"\.section\(\s*"([a-z-]+)""#, #"S(?:ection|tateSection)(?:Version)?\(\s*name: "([a-z-]+)""#,
        #"static let (?:s|swapS)ection = "([a-z-]+)""#,
      ] { named.formUnion(try declared.matches(pattern).map(\.0)) }
      // Those that are declared as a whole are needed.
      for (name, version) in try declared.matches(#"SectionVersion\(name: "([a-z-]+)", version: (\d+)\)"#) {
        #expect(sections("### Sections")[name] == "\(version) yes", "the section \(name): version and need")
      }
      named.formUnion(try declared.matches(#"static let sectionPrefix = "([a-z-]+)""#).map { "\($0.0).N" })
    }
    let board = try GuestRig(memory: GuestMemory(size: 1 << 20)).sections.names.map(Self.general)
    let told = Set(sections("### Sections").keys).union(sections("### Static sections").keys)
    expect(told.subtracting(board), named, "sections")
  }

  /// What a real guest had, whose bytes are held.
  @Test func whatAGuestHadStandsThere() throws {
    let manifest = try Manifest(
      decoding: Fixture("../../IntegrationTests/Fixtures/guest-manifest.hex").bytes())
    let checkpoint = try Checkpoint(
      decoding: Fixture("../../IntegrationTests/Fixtures/guest-checkpoint.hex").bytes())
    #expect(checkpoint.sections.count > 5 && !manifest.sections.isEmpty)
    for (heading, found) in [
      ("### Static sections", manifest.sections), ("### Sections", checkpoint.sections),
    ] {
      let told = sections(heading)
      for section in found {
        #expect(told[Self.general(section.name)] == "\(section.version) \(section.isNeeded ? "yes" : "no")")
      }
    }
    #expect(page.names("### Slots").isSuperset(of: manifest.slots))
  }

  @Test func itNamesEveryFileOfAFolder() throws {
    let names = try Declarations("FSRHost/Folder/VMFolderNames.swift").texts()
      .union(
        Declarations("FSRHandoff/Coordinator/VMFiles.swift").inside("enum VMFiles {").texts()
      )
    expect(page.names("## Folder"), names.union(["swap-old"]), "files")
  }

  @Test func itNamesEveryKeyOfAHistory() throws {
    let line = String(decoding: HistoryRecord(id: "a", event: "handoff").line, as: UTF8.self)
    let keys = try Declarations("FSRHost/History/HistoryRecord.swift").inside("enum CodingKeys")
    let plain = keys.lists().flatMap {
      $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let named = try keys.matches(#"case \w+ = "(\w+)""#).map(\.0)
    expect(page.names("### History"), Set(plain + named), "keys")
    for key in plain + named { #expect(line.contains("\"\(key)\":"), "a record has the key \(key)") }
  }
}
