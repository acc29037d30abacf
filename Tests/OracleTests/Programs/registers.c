// What control and status registers take, hold and refuse, as far as machine mode alone goes.
#include "runtime.h"

static const u64 patterns[] = {0, ~0ul, 1, 2, 3, 0x888, 0x80000000, 0x8000000000000000, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa};
#define PATTERNS (sizeof patterns / sizeof *patterns)

// Writes every pattern by csrrw, csrrs and csrrc; prints what is read back under `mask`, old values too.
#define SHOW_WRITES(name, mask) \
  for (u64 i = 0; i < PATTERNS; i++) { \
    u64 old, set, cleared; \
    csr_write(name, patterns[i]); \
    u64 now = csr_read(name); \
    __asm__ volatile("csrrs %0, " #name ", %1" : "=r"(old) : "r"(0x0f0f0f0f0f0f0f0ful & (mask)) : "memory"); \
    set = csr_read(name); \
    line2(#name, now & (mask), old & (mask)); \
    __asm__ volatile("csrrc %0, " #name ", %1" : "=r"(old) : "r"(0x3333333333333333ul & (mask)) : "memory"); \
    cleared = csr_read(name); \
    line2("  set, cleared", set & (mask), cleared & (mask)); \
    line("  old", old & (mask)); \
  }

#define SHOW_IMMEDIATES(name, mask) \
  { \
    u64 a, b, c, d, e, f; \
    __asm__ volatile( \
        "csrrwi %0, " #name ", 31; csrrci %1, " #name ", 5; csrrsi %2, " #name ", 1; csrrci %3, " #name ", 0;" \
        "csrrsi %4, " #name ", 0; csrrw %5, " #name ", x0" \
        : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d), "=&r"(e), "=&r"(f)::"memory"); \
    line2(#name " 31 -5", a & (mask), b & (mask)); \
    line2(#name " +1 -0", c & (mask), d & (mask)); \
    line2(#name " +0 =x0", e & (mask), f & (mask)); \
    line(#name " zero", csr_read(name) & (mask)); \
  }

static void show_trap_registers(void) {
  SHOW_WRITES(mscratch, ~0ul)
  SHOW_IMMEDIATES(mscratch, ~0ul)
  SHOW_WRITES(mcause, ~0ul)
  SHOW_IMMEDIATES(mcause, ~0ul)
  SHOW_WRITES(mtval, ~0ul)
  SHOW_IMMEDIATES(mtval, ~0ul)
  // Bit 0 of mepc cannot be set, by the architecture; QEMU 7.2 lets it.
  SHOW_WRITES(mepc, ~1ul)
  SHOW_IMMEDIATES(mepc, ~1ul)
  SHOW_WRITES(mie, SOFTWARE | TIMER | EXTERNAL)
  csr_write(mie, 0);
}

static void show_vector(void) {
  u64 handler = csr_read(mtvec);
  line("mtvec", handler);
  for (u64 i = 0; i < 8; i++) {
    csr_write(mtvec, 0x80001000 + i * 0x101);
    line("mtvec", csr_read(mtvec));
  }
  csr_write(mtvec, handler);
}

static void show_status(void) {
  // MPP is 3 where there is no other mode; QEMU 7.2 clears it at reset and at each mret all the same.
  u64 mask = MIE | MPIE;
  __asm__ volatile("ecall" ::: "memory");
  line("mstatus", csr_read(mstatus) & mask);
  csr_write(mstatus, MPIE | 3ul << 11);
  line("mstatus", csr_read(mstatus) & (mask | 3ul << 11));
  csr_set(mstatus, MIE);
  line("mstatus", csr_read(mstatus) & mask);
  TRY("ecall", "ecall", ::: "memory");
  line("status in it", traps[0].status);
  line("mstatus", csr_read(mstatus) & mask);
  csr_clear(mstatus, MIE);
  TRY("ecall", "ecall", ::: "memory");
  line("status in it", traps[0].status);
  line("mstatus", csr_read(mstatus) & mask);
  u64 old;
  __asm__ volatile("csrrci %0, mstatus, 8" : "=r"(old));
  line("old", old & mask);
}

static void show_constants(void) {
  line("misa", csr_read(misa));
  csr_write(misa, 0);
  line("misa", csr_read(misa));
  csr_write(misa, ~0ul);
  line("misa", csr_read(misa));
  line("mhartid", csr_read(mhartid));
  line("mip", csr_read(mip) & (SOFTWARE | EXTERNAL));
  csr_write(mip, ~0ul);
  line("mip", csr_read(mip) & (SOFTWARE | EXTERNAL));
  TRY("write mhartid", "csrw mhartid, zero", ::: "memory");
  TRY("set none of mhartid", "csrrs a0, mhartid, zero", ::: "a0", "memory");
  TRY("set mhartid", "csrrsi a0, mhartid, 1", ::: "a0", "memory");
  TRY("clear none of mhartid", "csrrci a0, mhartid, 0", ::: "a0", "memory");
  TRY("read mvendorid", "csrr a0, mvendorid", ::: "a0", "memory");
  TRY("write mvendorid", "csrw mvendorid, a0", ::: "memory");
  TRY("read marchid", "csrr a0, marchid", ::: "a0", "memory");
  TRY("read mimpid", "csrr a0, mimpid", ::: "a0", "memory");
  TRY("write cycle", "csrw cycle, a0", ::: "memory");
  TRY("write time", "csrw time, a0", ::: "memory");
  TRY("write instret", "csrw instret, a0", ::: "memory");
  TRY("satp", "csrr a0, satp", ::: "a0", "memory");
  TRY("sstatus", "csrr a0, sstatus", ::: "a0", "memory");
  TRY("stvec", "csrw stvec, a0", ::: "memory");
  TRY("sscratch", "csrr a0, sscratch", ::: "a0", "memory");
  TRY("pmpcfg0", "csrr a0, pmpcfg0", ::: "a0", "memory");
  TRY("mcounteren", "csrr a0, mcounteren", ::: "a0", "memory");
  TRY("fcsr", "csrr a0, fcsr", ::: "a0", "memory");
  TRY("fflags", "csrw fflags, a0", ::: "memory");
  TRY("0x7c0", "csrr a0, 0x7c0", ::: "a0", "memory");
  TRY("0x5c0", "csrw 0x5c0, a0", ::: "memory");
  TRY("0xfff", "csrr a0, 0xfff", ::: "a0", "memory");
  TRY("read mcountinhibit", "csrr a0, mcountinhibit", ::: "a0", "memory");
  TRY("read mhpmcounter3", "csrr a0, mhpmcounter3", ::: "a0", "memory");
  TRY("read mhpmevent3", "csrr a0, mhpmevent3", ::: "a0", "memory");
}

// Their values depend on the machine's speed: only that they rise, and go where they are put.
static void show_counters(void) {
#define RISES(name) \
  { \
    u64 before = csr_read(name); \
    for (volatile int i = 0; i < 1000; i++) {} \
    line(#name " rises", csr_read(name) > before); \
  }
  RISES(mcycle)
  RISES(minstret)
  RISES(cycle)
  RISES(instret)
  RISES(time)
  csr_write(mcycle, 1ul << 50);
  line("mcycle written", csr_read(mcycle) >> 50);
  csr_write(minstret, 1ul << 51);
  line("minstret written", csr_read(minstret) >> 51);
  csr_write(mcycle, 0);
  line("mcycle cleared", csr_read(mcycle) >> 40);
  line("cycle is mcycle", csr_read(cycle) >> 40);
  csr_write(minstret, 0);
  line("instret is minstret", csr_read(instret) >> 40);
  u64 mtime = ticks(), time = csr_read(time), later = ticks();
  line("time is mtime", mtime <= time && time <= later);
}

void program(u64 hart) {
  show_trap_registers();
  show_vector();
  show_status();
  show_constants();
  show_counters();
}
