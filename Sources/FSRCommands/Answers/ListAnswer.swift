/// The answer of `fsr list`.
package struct ListAnswer: Answer {
  var vms: [StatusAnswer] = []

  /// For people: a row for each VM.
  var lines: [String] {
    guard !vms.isEmpty else { return ["no VMs; `fsr run NAME` starts one, `fsr demo` shows what it is for"] }
    var table = TextTable([
      ("NAME", .left), ("STATE", .left), ("PID", .right), ("GENERATION", .right), ("MEMORY", .right),
    ])
    for vm in vms {
      table.add([
        vm.name ?? "-", Self.state(of: vm),
        vm.pid.map { "\($0)" } ?? "-",
        vm.generation.map { "\($0)" } ?? "-", vm.memory.bytes.map { ByteSize.readable($0) } ?? "-",
      ])
    }
    return table.lines
  }

  private static func state(of vm: StatusAnswer) -> String {
    guard let state = vm.state else { return vm.reason == nil ? "ended" : "unknown" }
    return state + (vm.reason == nil ? "" : ", no answer") + (vm.troubles.isEmpty ? "" : ", trouble")
  }
}
