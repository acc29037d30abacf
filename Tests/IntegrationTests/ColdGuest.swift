import FSRSystem
import FSRTestSupport

/// A guest most of whose pages stay in the swap file: it writes 8 MiB once, then goes over another 6 MiB again and again,
/// where it checks what it wrote. As a key is typed it checks the 8 MiB too, and ends: well, or with code 7.
///
/// However fast the machine, a copy of its swap file takes as long as its rate says.
enum ColdGuest {
  static let options = ["--memory", "16M", "--resident", "4M", "--compression", "off"]
  /// Pages that are never touched between the first time and the last, less those that may be resident.
  static let coldPages: Double = 1024

  private static let text = """
      li s3, 4096
      li s2, 0x80900000        # behind the cold ones
      li s4, 0x80f00000        # behind the hot ones
      li s5, 0x10000000        # UART
      li s0, 0x80100000
    1:
      sd s0, 0(s0)
      add s0, s0, s3
      bltu s0, s4, 1b
      li s6, 0                 # pass
    2:
      mv s0, s2
    3:
      ld t0, 0(s0)
      add t1, s0, s6
      bne t0, t1, wrong
      addi t1, t1, 1
      sd t1, 0(s0)
      add s0, s0, s3
      bltu s0, s4, 3b
      addi s6, s6, 1
      lbu t0, 5(s5)
      andi t0, t0, 1
      beqz t0, 2b
      lbu t0, 0(s5)
      li s0, 0x80100000
    4:
      ld t0, 0(s0)
      bne t0, s0, wrong
      add s0, s0, s3
      bltu s0, s2, 4b
      li t6, 0x5555
      j end
    wrong:
      li t6, 0x73333
    end:
      li t5, 0x100000
      sw t6, 0(t5)
    5:
      j 5b
    """

  /// Starts it, and waits until the cold pages are where they belong.
  static func start(_ paged: borrowing PagedVM, _ options: [String] = []) throws {
    let place = try TemporaryDirectory()
    try place.directory.openFile("guest", .createNew).write(try GuestProgram.assemble(text))
    let files = ["--swap", paged.swap, "--guest", place.path + "/guest"]
    try paged.vm.run(Self.options + files + options)
    try paged.waitForEvictions(4000)
  }

  /// Has it look through all of its memory; answers what is wrong.
  static func findingsAtEnd(_ paged: borrowing PagedVM) throws -> [String] {
    _ = try paged.vm.type("x")
    let hasEnded = try TestVM.wait { try paged.vm.answer("status").code == 7 }
    if !hasEnded { return ["it never ends: \(try paged.status())"] }
    let last = try paged.vm.answer("history").value["handoffs"]?.elements.last
    return last?["reason"]?.text == "passed" ? [] : ["the guest found \(last as Any)"]
  }
}
