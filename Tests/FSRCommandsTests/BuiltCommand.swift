import FSRSystem
import Testing

/// The `fsr` that was built with these tests, run as a process of its own.
struct BuiltCommand {
  struct Result: Equatable {
    let status: FSRSystem.ExitStatus?
    let output: String
    let errors: String

    var code: Int32? { if case .exited(let code) = status { code } else { nil } }
    var errorLines: [Substring] { errors.split(separator: "\n") }
  }

  /// Beside the test bundle, where the package's executables are put.
  static func path() throws -> String {
    let program = try #require(CommandLine.arguments.first)
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? program
    let folder = bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.joined(separator: "/") + "/fsr"
  }

  /// Runs it to its end. `environment` is added to a plain one.
  static func run(_ arguments: [String], environment: [String] = []) throws -> Result {
    let place = try TemporaryDirectory()
    let output = try place.directory.openFile("output", .append)
    let errors = try place.directory.openFile("errors", .append)
    let child = try ChildProcess.spawn(
      executable: path(), arguments: ["fsr"] + arguments, environment: ["PATH=/usr/bin:/bin"] + environment,
      inheriting: [.init(output.number, as: 1), .init(errors.number, as: 2)])
    let exited = try child.process.waitForExit(timeout: nil)
    #expect(exited)
    return Result(
      status: try child.process.reap(), output: try text(of: "output", in: place.directory),
      errors: try text(of: "errors", in: place.directory))
  }

  private static func text(of name: String, in directory: borrowing Directory) throws -> String {
    String(decoding: try directory.openFile(name, .read).readAll(limit: 1 << 24), as: UTF8.self)
  }
}
