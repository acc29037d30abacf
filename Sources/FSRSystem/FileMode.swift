internal import Glibc

/// What a file is opened for. None of these truncates.
public enum FileMode: Sendable {
  /// Reading a file that is there.
  case read
  /// Writing at the end, made if it is not there.
  case append
  /// The same, where a pipe that nobody reads is refused (ENXIO) and whatever takes no more at the moment says
  /// EAGAIN, instead of being waited for; never becomes the process's terminal.
  case appendWithoutWaiting
  /// Reading and writing a file that must not be there yet (EEXIST).
  case createNew
  /// Reading and writing a file that is there.
  case readWrite
  /// Reading and writing, made if it is not there.
  case readWriteCreating

  var flags: Int32 {
    let access =
      switch self {
      case .read: O_RDONLY
      case .append: O_WRONLY | O_APPEND | O_CREAT
      case .appendWithoutWaiting: O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY
      case .createNew: O_RDWR | O_CREAT | O_EXCL
      case .readWrite: O_RDWR
      case .readWriteCreating: O_RDWR | O_CREAT
      }
    return access | O_CLOEXEC
  }
}
