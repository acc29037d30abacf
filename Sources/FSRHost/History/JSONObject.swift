/// An object in JSON (RFC 8259), its keys in order. Foundation, which has the same, is nothing that a VMM should have to
/// bring.
package struct JSONObject {
  private var members: [String: String] = [:]

  package init() {}

  package mutating func put(_ key: String, _ text: String?) {
    members[key] = text.map(Self.quoted) ?? "null"
  }

  package mutating func put(_ key: String, _ number: (some BinaryInteger)?) {
    members[key] = number.map { "\($0)" } ?? "null"
  }

  package mutating func put(_ key: String, _ objects: [JSONObject]) {
    members[key] = "[" + objects.map(\.text).joined(separator: ",") + "]"
  }

  /// All of it, without spaces and ends of lines.
  package var text: String {
    let all = members.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\($0.value)" }
    return "{" + all.joined(separator: ",") + "}"
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\u{8}": quoted += "\\b"
      case "\u{c}": quoted += "\\f"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
