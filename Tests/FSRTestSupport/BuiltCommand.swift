public import FSRSystem

/// The `fsr` that was built with these tests, run as a process of its own.
public enum BuiltCommand {
  public struct Result: Equatable, Sendable {
    public let status: FSRSystem.ExitStatus?
    public let output: String
    public let errors: String

    public var code: Int32? { if case .exited(let code) = status { code } else { nil } }
    public var errorLines: [Substring] { errors.split(separator: "\n") }
  }

  /// Beside the test bundle, where the package's executables are put.
  public static func path() throws -> String { try path(of: "fsr") }

  public static func path(of name: String) throws -> String {
    guard let program = CommandLine.arguments.first else { throw Absent() }
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? program
    let folder = bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.joined(separator: "/") + "/" + name
  }

  /// The variable by which whoever lives is waited for twenty times as long as usual: on a machine that is busy nobody
  /// counts as hung who is not. Who is to leave and does not is ended sooner: in many tests somebody does not on purpose.
  public static let patience = limits("scale=20,reap=6s")

  /// The variable that sets the limits of handoffs; empty for the usual ones.
  public static func limits(_ text: String) -> String { "FSR_LIMITS=\(text)" }

  /// What every process of a test has in its environment, by `limits` too.
  public static func environment(_ limits: String = patience) -> [String] { ["PATH=/usr/bin:/bin", limits] }

  /// Runs it to its end. `environment` is added to a plain one, in which it may replace what is there.
  public static func run(_ arguments: [String], environment: [String] = []) throws -> Result {
    try run(program: path(), named: "fsr", arguments, environment: environment)
  }

  /// Runs a shell's `script`, in which `$FSR` is the command, and `$BYSTANDER` the program that `BesideUs` starts.
  public static func shell(_ script: String, environment: [String] = []) throws -> Result {
    try run(
      program: "/bin/bash", named: "bash", ["-c", script],
      environment: ["FSR=\(path())", "BYSTANDER=\(path(of: "Bystander"))"] + environment)
  }

  private static func run(program: String, named name: String, _ arguments: [String], environment: [String])
    throws -> Result
  {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let errors = try place.directory.openFile("errors", .append)
    let plain = Self.environment().filter { entry in
      let name = entry.prefix { $0 != "=" } + "="
      return !environment.contains { $0.hasPrefix(name) }
    }
    let child = try ChildProcess.spawn(
      executable: program, arguments: [name] + arguments, environment: plain + environment,
      inheriting: [.init(output.number, as: 1), .init(errors.number, as: 2)])
    return Result(
      status: try child.ended(), output: try text(of: "output", in: place.directory),
      errors: try text(of: "errors", in: place.directory))
  }

  private static func text(of name: String, in directory: borrowing Directory) throws -> String {
    String(decoding: try directory.openFile(name, .read).readAll(limit: 1 << 24), as: UTF8.self)
  }
}
