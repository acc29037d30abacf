/// The device tree of the board, with the names that QEMU's `virt` uses.
func boardDeviceTree(harts: Int, memorySize: UInt64) -> [UInt8] {
  var tree = DeviceTreeWriter()
  tree.node("") { root in
    root.property("#address-cells", cells: [2])
    root.property("#size-cells", cells: [2])
    root.property("compatible", "riscv-virtio")
    root.property("model", "riscv-virtio,fsr")
    root.node("chosen") { $0.property("stdout-path", "/soc/serial@10000000") }
    writeEnd(&root, "poweroff", 0x5555, harts)
    writeEnd(&root, "reboot", 0x7777, harts)
    root.node("memory@80000000") { memory in
      memory.property("device_type", "memory")
      memory.property("reg", cells: cells(BoardMap.ram) + cells(memorySize))
    }
    root.node("cpus") { writeCPUs(&$0, harts) }
    root.node("soc") { writeDevices(&$0, harts) }
  }
  return tree.finish(limit: Int(BoardMap.deviceTreeSize))
}

private func writeCPUs(_ cpus: inout DeviceTreeWriter, _ harts: Int) {
  cpus.property("#address-cells", cells: [1])
  cpus.property("#size-cells", cells: [0])
  cpus.property("timebase-frequency", cells: [UInt32(BoardMap.timebase)])
  for hart in 0..<harts {
    cpus.node("cpu@" + String(hart, radix: 16)) { cpu in
      cpu.property("phandle", cells: [cpuHandle(hart, harts)])
      cpu.property("device_type", "cpu")
      cpu.property("reg", cells: [UInt32(hart)])
      cpu.property("status", "okay")
      cpu.property("compatible", "riscv")
      cpu.property("riscv,isa", "rv64imac_zicntr_zicsr_zifencei")
      cpu.property("mmu-type", "riscv,none")
      cpu.node("interrupt-controller") { controller in
        controller.property("#interrupt-cells", cells: [1])
        controller.property("interrupt-controller")
        controller.property("compatible", "riscv,cpu-intc")
        controller.property("phandle", cells: [UInt32(hart + 1)])
      }
    }
  }
  cpus.node("cpu-map") { map in
    map.node("cluster0") { cluster in
      for hart in 0..<harts {
        cluster.node("core\(hart)") { $0.property("cpu", cells: [cpuHandle(hart, harts)]) }
      }
    }
  }
}

/// How a guest ends or starts anew by the finisher: a store of `value` to its first register.
private func writeEnd(_ root: inout DeviceTreeWriter, _ name: String, _ value: UInt32, _ harts: Int) {
  root.node(name) { node in
    node.property("value", cells: [value])
    node.property("offset", cells: [0])
    node.property("regmap", cells: [finisherHandle(harts)])
    node.property("compatible", "syscon-\(name)")
  }
}

private func writeDevices(_ soc: inout DeviceTreeWriter, _ harts: Int) {
  soc.property("#address-cells", cells: [2])
  soc.property("#size-cells", cells: [2])
  soc.property("compatible", "simple-bus")
  soc.property("ranges")
  soc.node("serial@10000000") { serial in
    serial.property("compatible", "ns16550a")
    serial.property("reg", cells: cells(BoardMap.uart) + cells(BoardMap.uartSize))
    serial.property("clock-frequency", cells: [3_686_400])
    serial.property("interrupt-parent", cells: [plicHandle(harts)])
    serial.property("interrupts", cells: [UInt32(BoardMap.uartInterrupt)])
  }
  for slot in 0..<BoardMap.virtioCount { writeVirtio(&soc, slot, plicHandle(harts)) }
  soc.node("plic@c000000") { plic in
    plic.property("compatible", "sifive,plic-1.0.0", "riscv,plic0")
    plic.property("reg", cells: cells(BoardMap.plic) + cells(BoardMap.plicSize))
    plic.property("riscv,ndev", cells: [UInt32(InterruptRegisters.sourceCount - 1)])
    plic.property("interrupt-controller")
    plic.property("#interrupt-cells", cells: [1])
    plic.property("#address-cells", cells: [0])
    plic.property("phandle", cells: [plicHandle(harts)])
    // Of each hart the external interrupt of machine mode, and of the mode that it does not have: none.
    plic.property(
      "interrupts-extended", cells: (1...UInt32(harts)).flatMap { [$0, 11, $0, UInt32.max] })
  }
  soc.node("clint@2000000") { clint in
    clint.property("compatible", "sifive,clint0", "riscv,clint0")
    clint.property("reg", cells: cells(BoardMap.clint) + cells(BoardMap.clintSize))
    // Of each hart: its software interrupt and its timer interrupt.
    clint.property("interrupts-extended", cells: (1...UInt32(harts)).flatMap { [$0, 3, $0, 7] })
  }
  soc.node("test@100000") { test in
    test.property("phandle", cells: [finisherHandle(harts)])
    test.property("compatible", "sifive,test1", "sifive,test0", "syscon")
    test.property("reg", cells: cells(BoardMap.finisher) + cells(BoardMap.finisherSize))
  }
}

/// The handles 1 to `harts` are the harts' own interrupt controllers'.
private func plicHandle(_ harts: Int) -> UInt32 { UInt32(harts) + 1 }
private func finisherHandle(_ harts: Int) -> UInt32 { UInt32(harts) + 2 }
private func cpuHandle(_ hart: Int, _ harts: Int) -> UInt32 { UInt32(harts + 3 + hart) }

private func writeVirtio(_ soc: inout DeviceTreeWriter, _ slot: Int, _ plic: UInt32) {
  let base = BoardMap.virtio + UInt64(slot) * BoardMap.virtioSize
  soc.node("virtio_mmio@" + String(base, radix: 16)) { transport in
    transport.property("compatible", "virtio,mmio")
    transport.property("reg", cells: cells(base) + cells(BoardMap.virtioSize))
    transport.property("interrupt-parent", cells: [plic])
    transport.property("interrupts", cells: [UInt32(slot) + 1])
  }
}

/// A 64-bit number as two cells.
private func cells(_ value: UInt64) -> [UInt32] {
  [UInt32(truncatingIfNeeded: value >> 32), UInt32(truncatingIfNeeded: value)]
}
