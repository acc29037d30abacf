import FSRMachine
import FSRMemory
import Testing

/// Reads a flattened device tree back, by the specification.
private struct Tree {
  var properties: [String: [UInt8]] = [:]

  init(_ blob: [UInt8]) throws {
    func cell(_ offset: Int) -> Int { blob[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
    try #require(cell(0) == 0xd00d_feed)
    try #require(cell(20) == 17 && cell(24) == 16)
    let total = cell(4)
    let (start, size) = (cell(8), cell(36))
    let (strings, stringsSize) = (cell(12), cell(32))
    try #require(start % 4 == 0 && cell(16) % 8 == 0)
    try #require(start + size <= total && strings + stringsSize <= total)
    func text(_ offset: Int) -> String { String(decoding: blob[offset...].prefix { $0 != 0 }, as: UTF8.self) }
    var path: [String] = []
    var at = start
    while true {
      let token = cell(at)
      at += 4
      switch token {
      case 1:
        let name = text(at)
        path.append(name)
        at += (name.utf8.count + 4) & ~3
      case 2: path.removeLast()
      case 3:
        let count = cell(at)
        let name = text(strings + cell(at + 4))
        properties[(path + [name]).joined(separator: "/")] = Array(blob[at + 8..<at + 8 + count])
        at += 8 + (count + 3) & ~3
      default:
        try #require(token == 9 && path.isEmpty && at == start + size)
        return
      }
    }
  }

  func cells(_ path: String) -> [Int] {
    let bytes = properties[path] ?? []
    return stride(from: 0, to: bytes.count, by: 4).map { bytes[$0..<$0 + 4].reduce(0) { $0 << 8 | Int($1) } }
  }

  func text(_ path: String) -> String { String(decoding: properties[path] ?? [], as: UTF8.self) }
}

@Suite struct DeviceTreeTests {
  private static func tree(_ machine: Machine) throws -> Tree {
    try machine.load(ELFImage(SoakGuestImage.bytes), cpus: [])
    return try Tree(
      machine.memory.bytes(
        at: machine.memory.size - BoardMap.deviceTreeSize, count: Int(BoardMap.deviceTreeSize)))
  }

  @Test(arguments: [1, 16]) func itSaysWhatTheBoardHas(harts: Int) throws {
    let tree = try Self.tree(board(megabytes: 4, harts: harts))
    #expect(tree.cells("/soc/serial@10000000/interrupts") == [10])
    #expect(tree.cells("/soc/virtio_mmio@10008000/interrupts") == [8])
    #expect(tree.cells("/soc/plic@c000000/phandle") == tree.cells("/soc/serial@10000000/interrupt-parent"))
    #expect(
      tree.cells("/soc/plic@c000000/interrupts-extended")
        == (1...harts).flatMap { [$0, 11, $0, 0xffff_ffff] })
    #expect(tree.cells("/memory@80000000/reg") == [0, 0x8000_0000, 0, 4 << 20])
    #expect(tree.cells("/cpus/timebase-frequency") == [10_000_000])
    #expect(tree.properties.keys.filter { $0.hasSuffix("/status") }.count == harts)
    let last = "/cpus/cpu@" + String(harts - 1, radix: 16)
    #expect(tree.cells(last + "/reg") == [harts - 1])
    #expect(tree.text(last + "/riscv,isa") == "rv64imac_zicntr_zicsr_zifencei\0")
    #expect(tree.cells("/soc/serial@10000000/reg") == [0, 0x1000_0000, 0, 0x100])
    #expect(tree.cells("/soc/clint@2000000/reg") == [0, 0x200_0000, 0, 0x1_0000])
    #expect(tree.cells("/soc/clint@2000000/interrupts-extended").count == harts * 4)
    #expect(tree.text("/chosen/stdout-path") == "/soc/serial@10000000\0")
    let finisher = tree.cells("/soc/test@100000/phandle")
    #expect(finisher.count == 1)
    for (name, value) in [("poweroff", 0x5555), ("reboot", 0x7777)] {
      #expect(tree.cells("/\(name)/value") == [value] && tree.cells("/\(name)/offset") == [0])
      #expect(tree.cells("/\(name)/regmap") == finisher)
      #expect(tree.text("/\(name)/compatible") == "syscon-\(name)\0")
    }
    for hart in 0..<harts {
      #expect(
        tree.cells("/cpus/cpu-map/cluster0/core\(hart)/cpu")
          == tree.cells("/cpus/cpu@\(String(hart, radix: 16))/phandle"))
    }
    let handles = tree.properties.filter { $0.key.hasSuffix("/phandle") }.map(\.value)
    #expect(handles.count == 2 * harts + 2 && Set(handles).count == handles.count)
  }

  @Test func aTerabyteOfRAMIsSaidAndNotTouched() throws {
    let tree = try Self.tree(board(megabytes: 1 << 20))
    #expect(tree.cells("/memory@80000000/reg") == [0, 0x8000_0000, 0x100, 0])
  }
}
