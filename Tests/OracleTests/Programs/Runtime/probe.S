# void probe(struct probe *state): loads all registers, goes to state->pc in machine mode, and comes back with all
# registers at the next trap. What runs in between may do what it likes, but for mscratch and mtvec.
  .option norvc
  .text
  .global probe
probe:
  addi sp, sp, -128
  sd ra, 0(sp)
  sd gp, 8(sp)
  sd tp, 16(sp)
  sd s0, 24(sp)
  sd s1, 32(sp)
  sd s2, 40(sp)
  sd s3, 48(sp)
  sd s4, 56(sp)
  sd s5, 64(sp)
  sd s6, 72(sp)
  sd s7, 80(sp)
  sd s8, 88(sp)
  sd s9, 96(sp)
  sd s10, 104(sp)
  sd s11, 112(sp)
  csrr t0, mtvec
  sd t0, 120(sp)
  sd sp, 280(a0)
  la t0, probe_trap
  csrw mtvec, t0
  csrw mscratch, a0
  ld t0, 256(a0)
  csrw mepc, t0
  li t0, 3 << 11
  csrw mstatus, t0
  .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 10
  ld x\n, \n * 8(x10)
  .endr
  mret
  .balign 4
probe_trap:
  csrrw x10, mscratch, x10
  .irp n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
  sd x\n, \n * 8(x10)
  .endr
  csrr t0, mscratch
  sd t0, 80(x10)
  csrr t0, mepc
  sd t0, 256(x10)
  csrr t0, mcause
  sd t0, 264(x10)
  csrr t0, mtval
  sd t0, 272(x10)
  ld sp, 280(x10)
  ld t0, 120(sp)
  csrw mtvec, t0
  ld ra, 0(sp)
  ld gp, 8(sp)
  ld tp, 16(sp)
  ld s0, 24(sp)
  ld s1, 32(sp)
  ld s2, 40(sp)
  ld s3, 48(sp)
  ld s4, 56(sp)
  ld s5, 64(sp)
  ld s6, 72(sp)
  ld s7, 80(sp)
  ld s8, 88(sp)
  ld s9, 96(sp)
  ld s10, 104(sp)
  ld s11, 112(sp)
  addi sp, sp, 128
  ret
