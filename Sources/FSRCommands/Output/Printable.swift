extension String {
  /// On one line, and with nothing in it that a terminal obeys or hides: a line break becomes a space, any other
  /// control or format character its number, as `\\u{1b}`.
  var printable: String {
    var text = ""
    for scalar in unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control where scalar == "\n" || scalar == "\r": text.append(" ")
      case .lineSeparator, .paragraphSeparator: text.append(" ")
      case .control, .format, .surrogate: text.append("\\u{\(String(scalar.value, radix: 16))}")
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
