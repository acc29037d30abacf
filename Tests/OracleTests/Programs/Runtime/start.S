# Where every hart begins: a stack each, traps to C, then `program`. Hart 0's return ends the guest; the others wait.
  .section .start, "ax"
  .global _start
_start:
  la t0, trap_entry
  csrw mtvec, t0
  csrw mie, zero
  addi t0, a0, 1
  slli t0, t0, 14
  la sp, stacks
  add sp, sp, t0
  mv s0, a0
  call program
  bnez s0, park
  li t0, 0x5555
  .global finish
finish:
  li t1, 0x100000
  sw t0, 0(t1)
park:
  csrw mie, zero
1:
  wfi
  j 1b

  .text
  .option norvc
  # Saves what C may change, calls `take_trap(frame)`, and returns to where the frame says.
  .balign 4
  .global trap_entry
trap_entry:
  addi sp, sp, -160
  sd ra, 0(sp)
  sd t0, 8(sp)
  sd t1, 16(sp)
  sd t2, 24(sp)
  sd a0, 32(sp)
  sd a1, 40(sp)
  sd a2, 48(sp)
  sd a3, 56(sp)
  sd a4, 64(sp)
  sd a5, 72(sp)
  sd a6, 80(sp)
  sd a7, 88(sp)
  sd t3, 96(sp)
  sd t4, 104(sp)
  sd t5, 112(sp)
  sd t6, 120(sp)
  csrr t0, mcause
  csrr t1, mepc
  csrr t2, mtval
  csrr t3, mstatus
  sd t0, 128(sp)
  sd t1, 136(sp)
  sd t2, 144(sp)
  sd t3, 152(sp)
  mv a0, sp
  call take_trap
  ld t1, 136(sp)
  ld t3, 152(sp)
  csrw mepc, t1
  csrw mstatus, t3
  ld ra, 0(sp)
  ld t0, 8(sp)
  ld t1, 16(sp)
  ld t2, 24(sp)
  ld a0, 32(sp)
  ld a1, 40(sp)
  ld a2, 48(sp)
  ld a3, 56(sp)
  ld a4, 64(sp)
  ld a5, 72(sp)
  ld a6, 80(sp)
  ld a7, 88(sp)
  ld t3, 96(sp)
  ld t4, 104(sp)
  ld t5, 112(sp)
  ld t6, 120(sp)
  addi sp, sp, 160
  mret

  .bss
  .balign 16
stacks:
  .zero 8 << 14
