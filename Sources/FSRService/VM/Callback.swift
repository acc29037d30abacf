/// Something to call, in a form that a lock can hold.
///
/// A bare closure in a `Mutex` is wrapped once more by every access, there and back between two conventions of calling:
/// one that is read at each of ten thousand resets is called through as many frames, and in the end there is no stack.
package struct Callback: Sendable {
  private let body: @Sendable () -> Void

  package init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  package func callAsFunction() { body() }
}
