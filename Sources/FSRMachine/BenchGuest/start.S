# Every hart starts here: its number in a0.
  .section .text.start, "ax"
  .global _start
_start:
  csrw mie, zero
  csrw mstatus, zero
  la t0, unexpected
  csrw mtvec, t0
  la sp, stacks
  addi t0, a0, 1
  slli t0, t0, 14
  add sp, sp, t0
  call bench
  .balign 4
unexpected:
  csrr a0, mcause
  csrr a1, mepc
  call unexpected_trap
1:
  j 1b

  .section .bss.stacks, "aw", @nobits
  .balign 4096
stacks:
  .zero 16 * 16384
