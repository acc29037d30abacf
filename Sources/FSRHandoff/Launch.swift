internal import FSRSystem

/// How a process of a VMM is started.
public struct Launch: Equatable, Sendable {
  /// A path, or `/proc/self/exe` for the running program itself, also when its file has been replaced or removed since.
  public var executable: String
  /// With the program's name in front.
  public var arguments: [String]
  /// NAME=VALUE each, as bytes: they need not be text.
  public var environment: [[UInt8]]

  public init(executable: String, arguments: [String], environment: [[UInt8]] = []) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }

  /// One more of the running process.
  public static func again() -> Launch {
    Launch(executable: "/proc/self/exe", arguments: Arguments.all, environment: Environment.bytes)
  }
}
