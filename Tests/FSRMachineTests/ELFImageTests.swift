import FSRMachine
import Testing

@Suite struct ELFImageTests {
  @Test func theSoakGuestIsAnELFThatHasItsSymbols() throws {
    let image = try ELFImage(SoakGuestImage.bytes)
    #expect(image.entry == 0x8000_0000)
    let symbols = try image.symbols(["fsr_parameters", "fsr_statistics", "tohost"])
    #expect(Set(symbols.keys) == ["fsr_parameters", "fsr_statistics"])
  }
}
