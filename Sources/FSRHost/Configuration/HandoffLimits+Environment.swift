public import FSRHandoff
internal import FSRSystem

extension HandoffLimits {
  /// The environment variable that sets them, for a VMM and for whoever asks one. It goes with the VM: a destination has its
  /// source's environment, and a successor that of the coordinator that starts it.
  public static let variable = "FSR_LIMITS"

  /// What the environment of this process says; the usual ones where it says nothing. Called before the first thread is
  /// started.
  ///
  /// - Throws: `VMError` `usage` where it says what cannot be.
  package static func ofEnvironment() throws(VMError) -> HandoffLimits {
    let text: String?
    do throws(SystemError) { text = try Environment.text(of: variable) } catch {
      throw VMError(.usage, "the value of $\(variable) is not UTF-8")
    }
    guard let text, !text.isEmpty else { return HandoffLimits() }
    do throws(ValueError) { return try HandoffLimits(parsing: text) } catch {
      throw VMError(.usage, "$\(variable): \(error)")
    }
  }
}
