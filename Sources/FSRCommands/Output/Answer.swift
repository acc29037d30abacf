internal import FoundationEssentials

/// What a command prints with `--json`: one object, its keys always there and sorted, in snake case.
package protocol Answer: Codable, Equatable, Sendable {}

extension Answer {
  /// The object on one line, with a line break at its end.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Only a number that is not finite cannot be written, and no answer is made with one.
    guard let data = try? encoder.encode(self) else { preconditionFailure("an answer can be written") }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  package init(json: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(Self.self, from: Data(json.utf8))
  }
}
