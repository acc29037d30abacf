import FSRGuestSupport
import FSRMachine
internal import FSRState
import FSRTestSupport
import Testing

extension GuestProgram {
  /// Runs `text` on one hart until it ends by itself, and answers the registers.
  static func registers(_ text: String) throws -> HartRegisters {
    let rig = try GuestRig(assemble(text + "\n" + finish))
    let exit = rig.run()
    #expect(exit == .ended(.passed))
    return try rig.registers()
  }
}
