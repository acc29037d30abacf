import FSRSystem
import FSRTestSupport

/// A guest of the tests' own: it fills a stretch of memory with a number, checks it, tells of it on the console,
/// and goes on with the next number.
enum CountingGuest {
  private static let source = """
      .global _start
      .option norelax
      .text
    _start:
      li s0, 0x10000000        # UART
      li s1, 0x80100000        # the stretch of memory
      li s2, 0x8000            # its words
      li s3, 1                 # the number
      li s4, 0                 # words that were not as they were written
      bnez a0, park
    next:
      mv t0, s1
      mv t1, s2
    fill:
      add t2, s3, t1
      sd t2, 0(t0)
      addi t0, t0, 8
      addi t1, t1, -1
      bnez t1, fill
      mv t0, s1
      mv t1, s2
    check:
      add t2, s3, t1
      ld t3, 0(t0)
      beq t2, t3, good
      addi s4, s4, 1
    good:
      addi t0, t0, 8
      addi t1, t1, -1
      bnez t1, check
      la a1, count_text
      call text
      mv a1, s3
      call number
      la a1, error_text
      call text
      mv a1, s4
      call number
      li a1, 10
      call put
      addi s3, s3, 1
      j next
    park:
      wfi
      j park

    put:                       # a1: a byte; takes t5
      lbu t5, 5(s0)
      andi t5, t5, 0x20
      beqz t5, put
      sb a1, 0(s0)
      ret
    text:                      # a1: where it begins
      mv s5, a1
      mv s6, ra
    1:
      lbu a1, 0(s5)
      beqz a1, 2f
      call put
      addi s5, s5, 1
      j 1b
    2:
      mv ra, s6
      ret
    number:                    # a1: what to write, in decimal
      mv s6, ra
      la s5, digits_end
      li t4, 10
    1:
      remu t3, a1, t4
      divu a1, a1, t4
      addi t3, t3, 48
      addi s5, s5, -1
      sb t3, 0(s5)
      bnez a1, 1b
    2:
      lbu a1, 0(s5)
      call put
      addi s5, s5, 1
      la t3, digits_end
      bne s5, t3, 2b
      mv ra, s6
      ret
      .data
    count_text: .asciz "count "
    error_text: .asciz " errors "
    digits: .zero 24
    digits_end: .byte 0
    """

  private static let script = """
    SECTIONS { . = 0x80000000; .text : { *(.text) } :all .data : { *(.data) } :all /DISCARD/ : { *(.riscv.attributes) } }
    PHDRS { all PT_LOAD FLAGS(7); }
    """

  /// The clang of a Swift toolchain in PATH; nil where there is none.
  static func clang() -> String? {
    let path = Environment.all.first { $0.hasPrefix("PATH=") }?.dropFirst("PATH=".count) ?? ""
    for folder in path.split(separator: ":") {
      let candidate = "\(folder)/clang"
      // Only the toolchain's own brings its linker; another one may not know RISC-V.
      guard (try? OwnedDescriptor.open("\(folder)/swift", .read)) != nil,
        (try? OwnedDescriptor.open(candidate, .read)) != nil
      else { continue }
      return candidate
    }
    return nil
  }

  /// Builds it in `place`; answers the ELF's path.
  static func build(in place: borrowing TemporaryDirectory, with clang: String) throws -> String {
    try place.directory.openFile("count.S", .createNew).write(Array(source.utf8))
    try place.directory.openFile("count.ld", .createNew).write(Array(script.utf8))
    let output = place.path + "/count.elf"
    let child = try ChildProcess.spawn(
      executable: clang,
      arguments: [
        "clang", "--target=riscv64-unknown-elf", "-march=rv64imac", "-mabi=lp64", "-mcmodel=medany",
        "-nostdlib",
        "-static", "-fuse-ld=lld", "-Wl,-n,--build-id=none", "-Wl,-T,\(place.path)/count.ld", "-o", output,
        place.path + "/count.S",
      ], environment: Environment.all)
    guard try child.ended() == .exited(0) else { throw Unexpected("clang did not build the guest") }
    return output
  }
}
