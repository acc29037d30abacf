import FSRSystem
import FSRTestSupport
import Foundation
import Testing

/// The unit for systemd, made for a `fsr` that lies anywhere.
@Suite struct UnitFileTests {
  private static func unit(of program: String) throws -> BuiltCommand.Result {
    try BuiltCommand.shell(
      "exec bash \"$UNIT\" \"$PROGRAM\"",
      environment: ["UNIT=\(SourceTree.root.path)/.ci/unit", "PROGRAM=\(program)"])
  }

  /// What stands for `program` where it is run, and where it is an argument, as systemd.service(5) has it.
  private static let readings: [(program: String, run: String, argument: String)] = [
    ("/usr/local/bin/fsr", "/usr/local/bin/fsr", "/usr/local/bin/fsr"),
    ("/usr/local/bin/fsr/bin/fsr", "/usr/local/bin/fsr/bin/fsr", "/usr/local/bin/fsr/bin/fsr"),
    ("/opt/a b & 100%/bin/fsr", "\"/opt/a b & 100%%/bin/fsr\"", "\"/opt/a b & 100%%/bin/fsr\""),
    ("/opt/$HOME ${x}/fsr", "\"/opt/$HOME ${x}/fsr\"", "\"/opt/$$HOME $${x}/fsr\""),
    (
      "/opt/it's \"5\" \\t$/fsr",
      "/bin/sh -c 'exec \"$$0\" \"$$@\"' \"/opt/it's \\\"5\\\" \\\\t$$/fsr\"",
      "\"/opt/it's \\\"5\\\" \\\\t$$/fsr\""
    ),
  ]

  @Test(arguments: readings.indices) func everyPathIsReadAsItIs(_ index: Int) throws {
    let (program, run, argument) = Self.readings[index]
    let result = try Self.unit(of: program)
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
    let template = try SourceTree.file("docs/fsr@.service").lines
    #expect(lines.count == template.count)
    for (line, old) in zip(lines, template) where !old.contains("/usr/local/bin/fsr") || old.hasPrefix("#") {
      #expect(line == old)
    }
    let commands = lines.filter { $0.hasPrefix("Exec") }
    #expect(
      commands == [
        "ExecStart=\(run) run %i --runtime-dir %t/fsr --replace-lost $FSR_OPTIONS",
        "ExecReload=\(run) handoff %i --runtime-dir %t/fsr --to \(argument)",
        "ExecStop=-\(run) stop %i --runtime-dir %t/fsr",
      ])
  }

  @Test func aPathThatNoUnitCanHaveIsRefused() throws {
    for program in ["/opt/a\nb/fsr", "/opt/a\tb/fsr"] {
      let result = try Self.unit(of: program)
      #expect(result.code == 1 && result.output.isEmpty && result.errorLines.count == 1, "\(result)")
    }
  }

  private static let hasAnalyzer: Bool = {
    if (try? BuiltCommand.shell("command -v systemd-analyze"))?.code == 0 { return true }
    try? OwnedDescriptor.standardError().write(
      Array("SKIPPED: no systemd-analyze here: systemd does not read its unit\n".utf8))
    return false
  }()

  @Test(.enabled(if: hasAnalyzer), arguments: readings.indices) func systemdTakesIt(_ index: Int) throws {
    let place = try TemporaryDirectory(under: "/tmp")
    let result = try BuiltCommand.shell(
      """
      program=$PLACE$PROGRAM
      mkdir -p "$(dirname "$program")" && printf '#!/bin/sh\\n' > "$program" && chmod +x "$program" || exit 98
      bash "$UNIT" "$program" > "$PLACE/fsr@.service" || exit 97
      systemd-analyze verify --man=no --recursive-errors=no "$PLACE/fsr@.service"; code=$?
      rm -r "$PLACE"/*; exit $code
      """,
      environment: [
        "UNIT=\(SourceTree.root.path)/.ci/unit", "PLACE=\(place.path)",
        "PROGRAM=\(Self.readings[index].program)",
      ])
    #expect(result.code == 0 && result.errors.isEmpty, "\(result)")
  }
}
