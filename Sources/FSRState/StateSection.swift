/// One named, versioned part of what a guest's checkpoint carries.
public struct StateSection: Equatable, Sendable {
  /// Lower-case ASCII, digits, dots and dashes: `hart.3`, `uart`.
  public let name: String
  public let version: UInt16
  /// Whether a reader that does not know the name must refuse; an optional one is kept and passed on.
  public let isNeeded: Bool
  public let payload: [UInt8]

  public init(name: String, version: UInt16, isNeeded: Bool = true, payload: [UInt8]) {
    self.name = name
    self.version = version
    self.isNeeded = isNeeded
    self.payload = payload
  }
}

/// Something whose state travels as the payload of a section.
///
/// `save` runs in the stun: it appends to a writer that has room, and neither allocates nor waits. The
/// state describes the modelled device, not the code that models it.
public protocol SavesState {
  /// The version of the payload that `save` writes; `restore` reads it and the one before.
  static var stateVersion: UInt16 { get }
  func save(to writer: inout ByteWriter)
  /// Reads all of the payload, and checks every field: the bytes may be anything.
  mutating func restore(from reader: inout ByteReader, version: UInt16) throws(StateError)
}
