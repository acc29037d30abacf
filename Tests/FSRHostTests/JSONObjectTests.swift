import FSRHost
import Foundation
import Testing

@Suite struct JSONObjectTests {
  private struct Read: Decodable, Equatable {
    var text: String?
    var number: Int64?
    var list: [[String: String]]?
  }

  private static func read(_ object: JSONObject) throws -> Read {
    try JSONDecoder().decode(Read.self, from: Data(object.text.utf8))
  }

  /// Every character of the lower planes, and what lies beyond and between them.
  @Test func everyTextIsReadBackByOthers() throws {
    for start in stride(from: UInt32(0), to: 0x3000, by: 0x100) {
      var text = ""
      for value in start..<start + 0x100 {
        if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
      }
      text += "\u{2028}\u{ffff}\u{10ffff}😀\"\\/\\u0041"
      var object = JSONObject()
      object.put("text", text)
      let read = try Self.read(object).text
      #expect(read.map { Array($0.unicodeScalars) } == Array(text.unicodeScalars))
      #expect(!object.text.unicodeScalars.contains { $0.value < 0x20 })
    }
  }

  @Test func itsKeysAreInOrderAndNothingIsLeftOut() {
    var inner = JSONObject()
    inner.put("z", "1")
    var object = JSONObject()
    object.put("text", nil as String?)
    object.put("number", Int32.min)
    object.put("list", [inner, inner])
    object.put("gone", nil as UInt64?)
    #expect(object.text == #"{"gone":null,"list":[{"z":"1"},{"z":"1"}],"number":-2147483648,"text":null}"#)
  }

  @Test(arguments: [0, 1, UInt64.max]) func aNumberIsWrittenWhole(_ number: UInt64) {
    var object = JSONObject()
    object.put("n", number)
    #expect(object.text == "{\"n\":\(number)}")
  }
}
