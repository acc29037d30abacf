import FSRSystem
import FSRTestSupport

/// Descriptors that are of another kind than whoever takes them has reason to expect.
enum OddDescriptor: String, CaseIterable, Sendable {
  case pipe, folder, socket, null, file, emptyMemory, writeSealedMemory

  /// - Parameters:
  ///   - size: bytes of the memory and of the file, so that not their size gives them away.
  func make(size: UInt64, in directory: borrowing Directory) throws -> OwnedDescriptor {
    switch self {
    case .pipe:
      let pipe = try PipeEnds()
      return try pipe.reading.duplicate()
    case .folder: return try directory.descriptor.duplicate()
    case .socket: return try Self.firstEnd(of: UnixSocket.pair())
    case .null: return try OwnedDescriptor.open("/dev/null", .readWrite)
    case .file:
      try? directory.unlink("odd")
      let file = try directory.openFile("odd", .createNew)
      try file.truncate(to: size)
      return file
    case .emptyMemory: return try Memfd.create(name: "fsr-odd", size: 0)
    case .writeSealedMemory:
      let memory = try Memfd.create(name: "fsr-odd", size: size)
      try Memfd.sealAgainstWriting(memory)
      return memory
    }
  }

  private static func firstEnd(of pair: consuming SocketPair) -> OwnedDescriptor { pair.a.release() }
}
