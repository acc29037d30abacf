import FSRCommands
import Testing

@Suite struct ThreeDigitsTests {
  @Test(arguments: [
    (0, "0.00"), (0.004, "0.00"), (1.005, "1.00"), (9.99, "9.99"), (9.996, "10.0"), (55.807, "55.8"),
    (99.94, "99.9"), (99.96, "100"), (123.4, "123"), (999.4, "999"), (999.6, "1000"), (12345.6, "12300"),
    (1_234_567, "1230000"),
  ])
  func aMeasuredNumberHasThree(value: Double, text: String) {
    #expect(value.inThreeDigits == text)
  }
}
