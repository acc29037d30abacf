import FSRCommands
import FSRMachine
import FSRSystem
import FSRTestSupport
import Testing

@Suite(.serialized) struct BenchCPUTests {
  private static let keys: Set<String> = [
    "cases", "processors", "qemu.missing", "qemu.path", "qemu.version", "reason", "repeats", "work",
  ]
  private static let caseKeys: Set<String> = [
    "vcpus", "kernels", "fsr_mips", "qemu_mips", "ratio_to_qemu", "fsr_scaling", "qemu_scaling", "host_mops",
    "host_operations_per_instruction",
  ]

  private static let isQEMUThere: Bool = {
    let there = ["/usr/bin/qemu-system-riscv64", "/bin/qemu-system-riscv64"].contains {
      (try? OwnedDescriptor.open($0, .read)) != nil
    }
    if !there { print("SKIPPED: no qemu-system-riscv64: its side of fsr bench cpu is not tested") }
    return there
  }()

  private func bench(_ arguments: String..., environment: [String] = []) throws -> BuiltCommand.Result {
    try BuiltCommand.run(
      ["bench", "cpu", "--work", "1", "--repeats", "1"] + arguments, environment: environment)
  }

  @Test func everyKernelIsMeasuredOnEveryNumberOfVCPUs() throws {
    let result = try bench("--vcpus", "1,2", "--json")
    let answer = try JSONValue(parsing: result.output)
    let cases = try #require(answer["cases"]?.elements)
    #expect(result.code == 0 && answer.keys == Self.keys && cases.count == 2, "\(result)")
    for one in cases {
      let kernels = try #require(one["kernels"]?.elements)
      #expect(one.keys == Self.caseKeys)
      #expect(kernels.map { $0["name"] } == BenchGuest.kernels.map { .text($0) })
      for kernel in kernels {
        #expect(kernel.keys == ["name", "instructions", "fsr_mips", "qemu_mips", "ratio_to_qemu"])
        let rate = try #require(kernel["fsr_mips"]?.number)
        #expect(rate > 0)
      }
      let scaling = try #require(one["fsr_scaling"]?.number)
      #expect(scaling > 0)
    }
  }

  @Test(.enabled(if: isQEMUThere)) func qemuRunsTheSameGuest() throws {
    let result = try bench("--vcpus", "2", "--json")
    let answer = try JSONValue(parsing: result.output)
    let one = try #require(answer["cases"]?.elements.first)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    #expect(answer["qemu"]?["version"]?.text?.contains("QEMU") == true)
    let rate = try #require(one["qemu_mips"]?.number)
    let ratio = try #require(one["ratio_to_qemu"]?.number)
    #expect(rate > 0 && ratio > 0)
    #expect(one["fsr_scaling"]?.number == nil)
  }

  @Test func withoutQEMUTheRowSaysSo() throws {
    let result = try bench("--vcpus", "1", environment: ["PATH=/nonexistent"])
    #expect(result.code == 0 && result.errorLines.count == 1, "\(result)")
    #expect(result.errors.contains("no QEMU") && result.output.contains("no QEMU to compare with"))
  }

  @Test(arguments: ["/nonexistent/qemu", "/bin/true", "/dev/null"]) func aQEMUThatWasNamedMustBeOne(
    path: String
  ) throws {
    let result = try bench("--qemu", path, "--json")
    let answer = try JSONValue(parsing: result.output)
    #expect(result.code == 1 && result.errorLines.count == 1 && answer.keys == Self.keys, "\(result)")
    #expect(answer["reason"]?.text?.contains(path) == true)
  }
}
