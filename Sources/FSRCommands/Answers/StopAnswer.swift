/// The answer of `fsr stop`.
package struct StopAnswer: Answer {
  @Nullable var name: String?
  /// Why it could not be stopped.
  @Nullable var reason: String?
}
