package import FSRSystem

/// A VM's name: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, and so a safe name of a file too.
package struct VMName: Hashable, Sendable, CustomStringConvertible {
  /// Characters in a name at most.
  static let limit = 64

  package let description: String

  package init(parsing text: String) throws(ValueError) {
    guard let first = text.utf8.first, text.utf8.count <= VMName.limit, VMName.isAlphanumeric(first),
      text.utf8.allSatisfy({ VMName.isAlphanumeric($0) || VMName.punctuation.contains($0) })
    else {
      throw ValueError(
        "a VM's name has 1 to \(VMName.limit) letters, digits, dots, underscores and hyphens, "
          + "a letter or digit first")
    }
    description = text
  }

  private static let punctuation = Array("._-".utf8)

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
