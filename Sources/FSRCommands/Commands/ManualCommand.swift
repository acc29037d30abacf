internal import ArgumentParser
internal import FSRSystem

/// `fsr manual`, with which an installation makes the pages of the manual.
struct ManualCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "manual", abstract: "Write the pages of the manual into a folder.", shouldDisplay: false)

  @Argument(help: "The folder, which is there.", completion: .directory) var folder: String

  func run() throws {
    do {
      let directory = try Directory.open(folder)
      let pages = ManualPage.all(of: try CommandDescription.ofAll())
      for page in pages {
        let name = "\(page.name).1"
        if try directory.exists(name) { try directory.unlink(name) }
        try directory.openFile(name, .createNew).write(Array(page.text(among: pages.map(\.name)).utf8))
      }
    } catch { throw Failure(.failed, "the manual cannot be written to \(folder): \(error)") }
  }
}
