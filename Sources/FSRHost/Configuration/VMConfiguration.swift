internal import FSRMemory
package import FSRState
public import FSRSystem

/// What a VM is made of, as it was asked for; it goes with the VM from process to process.
public struct VMConfiguration: Equatable, Sendable {
  public static let vcpuLimit = 16
  /// Bytes in a huge page.
  public static let hugePageSize = GuestMemory.hugePageSize

  public var name: String
  /// Bytes of RAM.
  public var memory: UInt64
  public var vcpus: Int
  /// The guest's name for people: `soak`, or the path of an ELF.
  public var guest: String
  /// Share of the time in which the soak guest works, in percent.
  public var duty: Int
  /// The soak guest's working set in bytes, 0 for all free RAM.
  public var workingSet: UInt64 = 0
  /// The soak guest's working set takes every n-th page.
  public var stride: UInt64 = 1
  /// The file that the console is appended to; empty for none.
  public var console: String
  /// Whether a reset that the guest asks for ends the VM, instead of starting the guest anew.
  public var endsOnReset = false
  /// Bytes of RAM, whole pages from its start, that the host promises to keep resident.
  public var reserve: UInt64 = 0
  /// Nil where all of RAM may be resident.
  public var paging: PagingConfiguration?
  /// Whether RAM consists of pages of 2 MiB.
  public var hasHugePages = false
  /// The host's memory nodes on which RAM lies, and on whose processors the vCPUs run; nil for wherever the kernel likes.
  public var nodes: NodeSet?

  public init(name: String, memory: UInt64, vcpus: Int, guest: String, duty: Int = 100, console: String = "")
  {
    self.name = name
    self.memory = memory
    self.vcpus = vcpus
    self.guest = guest
    self.duty = duty
    self.console = console
  }

  /// Whether a VM can lie on `nodes`: the ledger counts on so many numbers in a row.
  public static func isInReach(_ nodes: NodeSet) -> Bool { nodes.last - nodes.first < LedgerRecord.nodeReach }
  /// How far apart the numbers of a VM's nodes can be.
  public static let nodeReach = LedgerRecord.nodeReach

  public var isSoak: Bool { guest == "soak" }

  private enum Tag {
    static let name: UInt16 = 1
    static let memory: UInt16 = 2
    static let vcpus: UInt16 = 3
    static let guest: UInt16 = 4
    static let duty: UInt16 = 5
    static let workingSet: UInt16 = 6
    static let stride: UInt16 = 7
    static let console: UInt16 = 8
    static let endsOnReset: UInt16 = 9
    static let reserve: UInt16 = 10
    static let hasHugePages: UInt16 = 11
    static let paging: UInt16 = 30
    static let nodes: UInt16 = 20
  }

  package var encoded: [UInt8] {
    var fields = FieldWriter()
    fields.put(Tag.name, name)
    fields.put(Tag.memory, memory)
    fields.put(Tag.vcpus, UInt32(vcpus))
    fields.put(Tag.guest, guest)
    fields.put(Tag.duty, UInt32(duty))
    fields.put(Tag.workingSet, workingSet)
    fields.put(Tag.stride, stride)
    fields.put(Tag.console, console)
    fields.put(Tag.endsOnReset, UInt8(endsOnReset ? 1 : 0))
    fields.put(Tag.reserve, reserve)
    fields.put(Tag.hasHugePages, UInt8(hasHugePages ? 1 : 0))
    if let paging { fields.put(Tag.paging, paging.encoded) }
    if let nodes { fields.put(Tag.nodes, nodes.description) }
    return fields.bytes
  }

  package init(decoding bytes: [UInt8]) throws(StateError) {
    let fields = try FieldReader(bytes)
    name = try fields.string(Tag.name, limit: Manifest.nameLimit)
    memory = try fields.integer(Tag.memory)
    vcpus = Int(try fields.integer(Tag.vcpus, as: UInt32.self))
    guard (1...Self.vcpuLimit).contains(vcpus) else { throw .invalid("vCPU count", UInt64(vcpus)) }
    guest = try fields.string(Tag.guest, limit: Manifest.textLimit)
    duty = Int(try fields.integer(Tag.duty, as: UInt32.self))
    guard (1...100).contains(duty) else { throw .invalid("duty", UInt64(duty)) }
    workingSet = try fields.integer(Tag.workingSet)
    stride = try fields.integer(Tag.stride)
    console = try fields.string(Tag.console, limit: Manifest.textLimit)
    // Builds without restarts do not say it.
    endsOnReset = fields.bytes(Tag.endsOnReset) == [1]
    // Nor do builds without reservations.
    if fields.bytes(Tag.reserve) != nil { reserve = try fields.integer(Tag.reserve) }
    hasHugePages = fields.bytes(Tag.hasHugePages) == [1]
    guard !hasHugePages || memory % GuestMemory.hugePageSize == 0 else { throw .invalid("RAM size", memory) }
    if fields.bytes(Tag.nodes) != nil {
      guard let set = NodeSet(parsing: try fields.string(Tag.nodes, limit: NodeSet.textLimit)),
        Self.isInReach(set)
      else { throw .invalid("set of memory nodes", 0) }
      nodes = set
    }
    guard reserve <= memory, reserve % GuestMemory.pageSize == 0 else {
      throw .invalid("reservation", reserve)
    }
    if let bytes = fields.bytes(Tag.paging) {
      guard !hasHugePages else { throw .invalid("paging of huge pages", memory) }
      paging = try PagingConfiguration(decoding: bytes, memory: memory, reserve: reserve)
    }
  }
}
