public import FSRHost
public import FSRSystem

/// What a VM that nobody has run yet is to be made of.
public struct NewVM: ~Copyable {
  public let configuration: VMConfiguration
  public let ports: [TapPort]
  /// The guest's image; nil where none was named.
  public let image: [UInt8]?
  /// The file that the console is appended to; nil for none.
  public var console: Owned<OwnedDescriptor>?
}
