internal import FoundationEssentials

/// Any JSON, for looking at what a command prints without the command's own types.
public indirect enum JSONValue: Decodable, Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .list(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  public init(parsing text: String) throws {
    self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
  }

  public subscript(key: String) -> JSONValue? {
    if case .object(let object) = self { object[key] } else { nil }
  }

  public var elements: [JSONValue] { if case .list(let list) = self { list } else { [] } }
  public var text: String? { if case .text(let text) = self { text } else { nil } }
  public var number: Double? { if case .number(let number) = self { number } else { nil } }

  /// The keys, an object's keys behind its own: `memory.bytes`. What is in lists is left out.
  public var keys: Set<String> {
    guard case .object(let object) = self else { return [] }
    var keys: Set<String> = []
    for (key, value) in object {
      let inner = value.keys
      if inner.isEmpty { keys.insert(key) } else { keys.formUnion(inner.map { "\(key).\($0)" }) }
    }
    return keys
  }
}
