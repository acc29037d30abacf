# A guest to type at: it prints what is typed, and ends well at Ctrl-D. To build it, from the package's folder:
#   clang --target=riscv64-unknown-elf -march=rv64imac -mabi=lp64 -nostdlib -static -fuse-ld=lld \
#     -Wl,-n,--build-id=none,-Ttext=0x80000000 -o hello.elf docs/hello.S
  .globl _start
_start:
  bnez a0, stand              # one hart is enough
  li s0, 0x10000000           # the UART
  li s1, 0x0c000000           # the interrupt controller
  la t0, greeting
print:
  lbu t1, 0(t0)
  beqz t1, ready
  sb t1, 0(s0)
  addi t0, t0, 1
  j print
ready:
  li t0, 1
  sb t0, 1(s0)                # the UART interrupts for what is typed
  sw t0, 40(s1)               # which is source 10: priority 1
  li t0, 1 << 10
  li t1, 0x2000
  add t1, s1, t1
  sw t0, 0(t1)                # let through to hart 0
  li t0, 1 << 11
  csrs mie, t0                # which wakes for it, without being interrupted
next:
  lbu t0, 5(s0)
  andi t0, t0, 1              # is there a character?
  bnez t0, typed
  wfi
  li t0, 0x200004
  add t0, s1, t0
  lw t1, 0(t0)                # claimed, and done with
  sw t1, 0(t0)
  j next
typed:
  lbu t1, 0(s0)
  li t0, 4
  beq t1, t0, end
  sb t1, 0(s0)
  li t0, 13
  bne t1, t0, next
  li t1, 10                   # a terminal's Enter begins a line too
  sb t1, 0(s0)
  j next
end:
  li t0, 0x100000             # the finisher
  li t1, 0x5555
  sw t1, 0(t0)
stand:
  wfi
  j stand
greeting:
  .asciz "Hello. What you type comes back; Ctrl-D ends this guest, Ctrl-] leaves it running.\r\n"
