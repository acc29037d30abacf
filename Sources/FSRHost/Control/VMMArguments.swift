/// How a VMM's command line begins, by which it is known among processes.
package enum VMMArguments {
  /// The first argument behind the program's name; the VM's name follows.
  package static let role = "vmm"

  /// Those of a VMM of the VM `name`.
  package static func start(of name: String) -> [String] { ["fsr", role, name] }

  /// Of which VM those of a VMM are; nil of other processes'.
  package static func name(in arguments: [String]) -> String? {
    arguments.count > 2 && arguments[1] == role ? arguments[2] : nil
  }

  /// Whether `arguments` are those of a VMM of the VM `name`.
  package static func isVMM(_ arguments: [String], of name: String) -> Bool {
    arguments.dropFirst().starts(with: [role, name])
  }
}
