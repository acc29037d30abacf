import FSRSystem

/// Whether pages of shared memory can be paged here; says so where not.
public func hasUserFault() -> Bool {
  switch UserFault.availability {
  case .available: return true
  case .missing(let error):
    print("SKIPPED: no userfaultfd here: \(error)")
    return false
  }
}
