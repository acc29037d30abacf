# What test suites do before and after a test: look for registers with mtvec pointing past the look, leave for the
# mode below by mret, come back by ecall, and tell the host by `tohost`.
  .option norvc
  .text
  .global program, tohost

# Tries the instruction; a trap goes on behind it. Counts in s1, a bit each, which of them got through.
.macro probe instruction:vararg
  la t0, 1f
  csrw mtvec, t0
  li t1, 0
  \instruction
  li t1, 1
  .balign 4
1:
  slli s1, s1, 1
  or s1, s1, t1
.endm

program:
  addi sp, sp, -16
  sd ra, 0(sp)
  csrr s2, mtvec
  li s1, 0
  csrr a0, mhartid
  bnez a0, fail
  # Their numbers are what a suite wants to know; most of them a hart without other modes does not have.
  probe csrw mscratch, zero
  probe csrwi mie, 0
  probe csrr a0, misa
  probe csrr a0, mvendorid
  probe csrr a0, fcsr
  probe csrr a0, satp
  probe csrr a0, scause
  probe csrr a0, 0x8ff
  probe lr.w a0, (sp)
  probe ld a0, 0(zero)
  probe .word 0
  mv a1, s1
  la a0, probed
  call line

  # Down by mret, with mstatus cleared, as if there were user mode: whatever MPP says, the ecall comes back.
  la t0, called
  csrw mtvec, t0
  csrwi mstatus, 0
  csrwi mie, 0
  la t0, below
  csrw mepc, t0
  csrr a0, mhartid
  mret
  j fail
below:
  li a7, 93
  li a0, 42
  ecall
  j fail
  .balign 4
called:
  csrr t0, mcause
  li t1, 8
  beq t0, t1, 1f
  li t1, 11
  bne t0, t1, fail
1:
  csrr t0, mepc
  la t1, below
  sub a1, t0, t1
  li t1, 42
  bne a0, t1, fail
  la a0, came_back
  call line

  # And in machine mode, with interrupts on behind it.
  li t0, 3 << 11 | 1 << 7
  csrw mstatus, t0
  la t0, 1f
  csrw mepc, t0
  mret
1:
  csrr a1, mstatus
  andi a1, a1, 0x88
  la a0, after_mret
  call line
  csrci mstatus, 8
  csrw mtvec, s2

  # A board that knows the symbol ends here; on one that does not, the finisher does it a little later.
  fence
  li t0, 1
  la t1, tohost
  sw t0, 0(t1)
  sw zero, 4(t1)
  li t0, 1000000
1:
  addi t0, t0, -1
  bnez t0, 1b
  ld ra, 0(sp)
  addi sp, sp, 16
  ret
fail:
  li a0, 1
  j finish_with

  .section .rodata
probed: .asciz "got through"
came_back: .asciz "came back at"
after_mret: .asciz "mstatus"
  .data
  .balign 8
tohost: .dword 0
