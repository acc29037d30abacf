import FSRSystem
import FSRTestSupport

/// A guest that writes 10 MiB once, and goes over 4 MiB again and again, or over 20 MiB once a key was typed: each time it
/// checks what it wrote there before. Where that is something else it ends with code 7.
///
/// However fast the machine, its swap file has enough with its first length until the key comes, and then no more; and a
/// copy of it takes as long as its rate says, since most of what was written once stays there.
enum GrowingGuest {
  static let options = ["--memory", "32M", "--resident", "8M", "--compression", "off"]
  /// Pages of its memory; and those that may be resident.
  static let (pages, limit) = (8192.0, 2048.0)

  private static let text = """
      li s3, 4096
      li s1, 0x80b00000        # behind what is written once
      li s2, 0x80f00000        # behind what it goes over
      li s4, 0x81f00000        # behind what it goes over in the end
      li s5, 0x10000000        # UART
      li s0, 0x80100000
    1:
      sd s0, 0(s0)
      add s0, s0, s3
      bltu s0, s2, 1b
      li s6, 0                 # pass
    2:
      mv s0, s1
    3:
      ld t0, 0(s0)
      add t1, s0, s6
      bne t0, t1, wrong
      addi t1, t1, 1
      sd t1, 0(s0)
      add s0, s0, s3
      bltu s0, s2, 3b
      addi s6, s6, 1
      beq s2, s4, 2b
      lbu t0, 5(s5)
      andi t0, t0, 1
      beqz t0, 2b
      lbu t0, 0(s5)
      mv s0, s2
    4:
      add t1, s0, s6
      sd t1, 0(s0)
      add s0, s0, s3
      bltu s0, s4, 4b
      mv s2, s4
      j 2b
    wrong:
      li t6, 0x73333
      li t5, 0x100000
      sw t6, 0(t5)
    5:
      j 5b
    """

  /// Starts it, and waits until most of what it wrote once is in the swap file.
  static func start(_ paged: borrowing PagedVM, _ options: [String] = []) throws {
    let place = try TemporaryDirectory()
    try place.directory.openFile("guest", .createNew).write(try GuestProgram.assemble(text))
    try paged.vm.run(Self.options + ["--swap", paged.swap, "--guest", place.path + "/guest"] + options)
    try paged.waitForSlots(1200)
  }

  /// Has it need all of its memory.
  static func grow(_ paged: borrowing PagedVM) throws { _ = try paged.vm.type("x") }
}
