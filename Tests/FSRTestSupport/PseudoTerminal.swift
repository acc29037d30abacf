public import FSRSystem
import Glibc

/// A terminal as a program sees it, and the end at which a person sits.
public struct PseudoTerminal: ~Copyable, Sendable {
  /// What is written here was typed; what is read here was shown.
  public let person: OwnedDescriptor
  /// For a program's standard streams. Open as long as this value is, so that no end of the program's is the
  /// terminal's.
  public let program: OwnedDescriptor

  // TIOCSPTLCK and TIOCGPTPEER of ioctl_tty(2), which are macros.
  private static let lock: UInt = 0x4004_5431
  private static let peer: UInt = 0x5441

  public init() throws {
    let person = try OwnedDescriptor.open("/dev/ptmx", .readWrite)
    program = try Self.program(of: person)
    self.person = person
  }

  private static func program(of person: borrowing OwnedDescriptor) throws -> OwnedDescriptor {
    var unlocked: Int32 = 0
    // SAFETY: read by the call alone.
    guard unsafe ioctl(person.number, lock, &unlocked) == 0 else { throw Absent() }
    let number = ioctl(person.number, peer, O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard number >= 0 else { throw Absent() }
    return OwnedDescriptor(adopting: number)
  }

  /// Everything that can be set of it.
  public struct Modes: Equatable, Sendable {
    public let flags: [UInt32]
    public let keys: [UInt8]

    /// Whether lines are edited, keys are signals, or output is changed.
    public var isCooked: Bool {
      flags[3] & UInt32(ICANON | ISIG | ECHO) != 0 || flags[1] & UInt32(OPOST) != 0
    }
  }

  public func modes() throws -> Modes {
    var raw = termios()
    // SAFETY: written by the call alone.
    guard unsafe tcgetattr(program.number, &raw) == 0 else { throw Absent() }
    // SAFETY: a copy of a structure of plain bytes.
    let keys = unsafe withUnsafeBytes(of: raw.c_cc) { unsafe Array($0) }
    return Modes(flags: [raw.c_iflag, raw.c_oflag, raw.c_cflag, raw.c_lflag], keys: keys)
  }
}
