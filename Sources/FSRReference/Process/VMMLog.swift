internal import FSRService
internal import FSRSystem
internal import Logging

/// What the processes of a VM have to say: lines of the VM's log, each with its time, and the process and build that say it.
enum VMMLog {
  /// As much of a build id as tells builds apart.
  private static let idLength = 12

  private static let build = (try? ServiceProcess.build()).map { String($0.prefix(idLength)) } ?? "unknown"

  /// - Parameter label: the VM's name, or what it is about where that is not known.
  static func logger(_ label: String) -> Logger {
    var log = Logger(label: label) {
      ServiceJournal.beside(StreamLogHandler.standardError(label: $0), label: $0)
    }
    log[metadataKey: "pid"] = "\(ProcessDescriptor.ownNumber)"
    log[metadataKey: "build"] = "\(build)"
    return log
  }
}
