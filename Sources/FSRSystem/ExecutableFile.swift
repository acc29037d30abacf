internal import CFSRLinux
internal import Glibc

/// A file that is to be run, looked at before anything is started.
public enum ExecutableFile {
  /// Class and byte order, then the machine: what must be as in this very program.
  private static let kindBytes = 4..<6
  private static let machineBytes = 18..<20
  private static let headerSize = 20

  /// Whether the file at `path` is an ELF, and no script.
  public static func isELF(_ path: String) throws(SystemError) -> Bool {
    let file = try OwnedDescriptor.openPlainFile(path)
    return try file.read(at: 0, count: magic.count) == magic
  }

  private static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]

  /// What speaks against running the file at `path` here, as the end of a sentence about it; nil where nothing does.
  ///
  /// A script, and what only the kernel can judge, is found out by starting it.
  public static func flaw(of path: String) -> String? {
    do throws(SystemError) {
      let file = try OwnedDescriptor.openPlainFile(path)
      // SAFETY: the C string lives for the call.
      guard unsafe path.withCString({ unsafe faccessat(CFSR_WORKING_DIRECTORY, $0, X_OK, AT_EACCESS) }) == 0
      else {
        return "is not executable (chmod +x makes it so)"
      }
      let header = try file.read(at: 0, count: headerSize)
      guard header.count == headerSize, header.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
      let own = try OwnedDescriptor.open("/proc/self/exe", .read).read(at: 0, count: headerSize)
      let isForHere = [kindBytes, machineBytes].allSatisfy { header[$0] == own[$0] }
      return isForHere ? nil : "is built for another kind of machine"
    } catch {
      return switch error.errno {
      case EISDIR: "is a directory"
      // A pipe or a device, unless the path is none.
      case EINVAL where !path.isEmpty && !path.utf8.contains(0): "is no regular file"
      default: "cannot be read: \(error.meaning)"
      }
    }
  }
}
