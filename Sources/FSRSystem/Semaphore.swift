internal import Glibc

/// Counts what is there to be taken; a taker waits while there is nothing (sem_overview(7)).
@safe public final class Semaphore: @unchecked Sendable {
  // SAFETY: Sendable, because a semaphore is made for several threads; it lives as long as this object.
  private let semaphore: UnsafeMutablePointer<sem_t>

  public init() {
    // SAFETY: initialized before anybody else knows of it.
    unsafe semaphore = .allocate(capacity: 1)
    unsafe semaphore.initialize(to: sem_t())
    unsafe sem_init(semaphore, 0, 0)
  }

  deinit {
    // SAFETY: the last reference is gone, so nobody waits or posts.
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  public func post() {
    // SAFETY: the caller holds this object.
    unsafe sem_post(semaphore)
  }

  public func wait() {
    // SAFETY: the caller holds this object. Only a signal ends the wait early.
    while unsafe sem_wait(semaphore) != 0 {}
  }
}
