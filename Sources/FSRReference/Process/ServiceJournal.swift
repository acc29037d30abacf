internal import FSRSystem
internal import Logging

/// What a service's VMM has to say goes to the journal too, where it stays when the VM's folder goes.
struct ServiceJournal: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel = Logger.Level.info
  private let label: String
  private let journal: JournalSocket

  /// - Parameter label: the VM's name.
  init(label: String, journal: JournalSocket = JournalSocket()) {
    self.label = label
    self.journal = journal
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    journal.tell([
      ("MESSAGE", "\(label): \(event.message)"), ("PRIORITY", "\(Self.priority(event.level))"),
      ("SYSLOG_IDENTIFIER", "fsr"), ("FSR_VM", label),
    ])
  }

  /// As syslog(3) counts.
  static func priority(_ level: Logger.Level) -> Int {
    switch level {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }

  /// `other`, and the journal beside it where a service manager has started this VM.
  static func beside(_ other: some LogHandler, label: String) -> any LogHandler {
    NotifySocket(environment: Environment.bytes) == nil
      ? other : MultiplexLogHandler([other, ServiceJournal(label: label)])
  }
}
