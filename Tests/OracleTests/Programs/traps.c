// Every exception that machine mode knows: its cause, where, and with what value.
#include "runtime.h"

static u64 data[8] __attribute__((aligned(64)));

#define WORD(bits) \
  do { \
    expect_trap(); \
    __asm__ volatile(".option push; .option norvc; .balign 4; .word " #bits "; .option pop" ::: "memory"); \
    show_trap("word " #bits); \
  } while (0)
#define HALF(bits) \
  do { \
    expect_trap(); \
    __asm__ volatile(".balign 4; .half " #bits "; .balign 4" ::: "memory"); \
    show_trap("half " #bits); \
  } while (0)

// An AMO's exceptions are those of a store. QEMU 7.2 says load, against the architecture: it is set right here.
static void show_amo(const char *name) {
  volatile struct trap *trap = &traps[0];
  if (trap->count && trap->cause >= 4 && trap->cause <= 7) trap->cause |= 2;
  show_trap(name);
}

#define TRY_AMO(name, text, ...) \
  do { \
    expect_trap(); \
    __asm__ volatile(text __VA_ARGS__); \
    show_amo(name); \
  } while (0)

static void show_environment(void) {
  TRY("ecall", "ecall", ::: "memory");
  TRY("ebreak", ".option push; .option norvc; ebreak; .option pop", ::: "memory");
  TRY("c.ebreak", "c.ebreak", ::: "memory");
}

static void show_illegal(void) {
  WORD(0xffffffff);
  WORD(0x0000007f);
  WORD(0x10200073);  // sret
  WORD(0x00200073);  // uret
  WORD(0x00000173);  // ecall with a target
  WORD(0x00008073);
  WORD(0x00007003);  // no such load
  WORD(0x00004023);  // no such store
  WORD(0x00002063);  // no such branch
  WORD(0x00001067);  // no such jalr
  WORD(0x04001013);  // slli by 64 and more
  WORD(0x02001013 | 1 << 31);
  WORD(0x0200101b);  // slliw by 32
  WORD(0x4200001b | 5 << 12);
  WORD(0x04000033);  // no such function
  WORD(0x02001 << 12 | 0x03b);
  WORD(0x1010202f | 1 << 20);  // lr.w with a second source
  WORD(0x0000002f);
  WORD(0x0000402f);
  WORD(0x2800202f);
  WORD(0x00053007);  // fld
  WORD(0x02000053);  // fadd.d
  WORD(0x00000057);  // vector
  WORD(0x00004073);  // system, function 4
  WORD(0x00003073 | 0x7c0 << 20);  // no such CSR
  WORD(0x00001073 | 0xf14 << 20);  // a write of a read-only one
  WORD(0xc0001073);
  HALF(0x0000);
  HALF(0x2000);
  HALF(0x4002);
  HALF(0x6002);
  HALF(0x6101);
  HALF(0x6001);
  HALF(0x6081);
  HALF(0x8002);
  HALF(0x8000);
  HALF(0x9c41);
  HALF(0x9c61);
  HALF(0x2001);
  HALF(0xa000);
  HALF(0xe002);
}

static void show_accesses(void) {
  u64 addresses[] = {0, 8, 0x500, 0x40, 0x60000, RAM_END, RAM_END + 0x10000, 0xfffffffffffffff0, 0x8000000000000000};
  for (u64 i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    u64 at = addresses[i];
    line("address", at);
    u64 value = 0x55;
    TRY("lb", "lb %0, 0(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("lh", "lh %0, 2(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("lw", "lw %0, 4(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("ld", "ld %0, 0(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("ld x0", "ld x0, 0(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("sb", "sb %0, 1(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("sh", "sh %0, 0(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("sw", "sw %0, 0(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("sd", "sd %0, 0(%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("lr.w", "lr.w %0, (%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("lr.d", "lr.d %0, (%1)", : "+r"(value) : "r"(at) : "memory");
    TRY_AMO("amoadd.w", "amoadd.w %0, %0, (%1)", : "+r"(value) : "r"(at) : "memory");
    TRY_AMO("amoswap.d", "amoswap.d %0, %0, (%1)", : "+r"(value) : "r"(at) : "memory");
    line("left", value);
  }
}

static void show_misaligned(void) {
  u64 value = 0x55;
  for (u64 i = 1; i < 8; i++) {
    u64 at = (u64)data + i;
    TRY("lr.w", "lr.w %0, (%1)", : "+r"(value) : "r"(at) : "memory");
    TRY("lr.d", "lr.d %0, (%1)", : "+r"(value) : "r"(at) : "memory");
    TRY_AMO("amoadd.w", "amoadd.w %0, %0, (%1)", : "+r"(value) : "r"(at) : "memory");
    TRY_AMO("amomaxu.d", "amomaxu.d %0, %0, (%1)", : "+r"(value) : "r"(at) : "memory");
  }
  TRY_AMO("misaligned and absent", "amoadd.d %0, %0, (%1)", : "+r"(value) : "r"(RAM_END + 4) : "memory");
  TRY("misaligned and absent", "lr.w %0, (%1)", : "+r"(value) : "r"(RAM_END + 1) : "memory");
  TRY_AMO("misaligned at the end", "amoadd.d %0, %0, (%1)", : "+r"(value) : "r"(RAM_END - 4) : "memory");
  line("left", value);
}

// A store-conditional without a reservation, and under one that a trap or another address undid.
static void show_conditional(void) {
  u64 value = 5, failed = 9;
  data[0] = 1;
  TRY("sc alone", "sc.d %0, %1, (%2)", : "=&r"(failed) : "r"(value), "r"(data) : "memory");
  line2("failed", failed, data[0]);
  TRY("sc absent", "sc.d %0, %1, (%2)", : "=&r"(failed) : "r"(value), "r"(8ul) : "memory");
  line2("failed", failed, data[0]);
  __asm__ volatile("lr.d t0, (%2); ecall; sc.d %0, %1, (%2)" : "=&r"(failed) : "r"(value), "r"(data) : "t0", "memory");
  line2("failed after a trap", failed, data[0]);
  __asm__ volatile("lr.d t0, (%2); addi t0, %2, 8; sc.d %0, %1, (t0)" : "=&r"(failed) : "r"(value), "r"(data) : "t0", "memory");
  line2("failed elsewhere", failed, data[0]);
  __asm__ volatile(
      "lr.d t0, (%2); addi t0, %2, 8; sc.d %0, %1, (t0); sc.d %0, %1, (%2)"
      : "=&r"(failed) : "r"(value), "r"(data) : "t0", "memory");
  line2("failed twice", failed, data[0]);
  __asm__ volatile("lr.d t0, (%2); sc.d %0, %1, (%2)" : "=&r"(failed) : "r"(value), "r"(data) : "t0", "memory");
  line2("failed", failed, data[0]);
  __asm__ volatile("lr.d t0, (%2); sc.w %0, %1, (%2)" : "=&r"(failed) : "r"(value + 1), "r"(data) : "t0", "memory");
  line2("failed in part", failed, data[0]);
  __asm__ volatile("lr.w t0, (%2); sc.d %0, %1, (%2)" : "=&r"(failed) : "r"(value + 2), "r"(data) : "t0", "memory");
  line2("failed in whole", failed, data[0]);
  data[0] = 0x100000000;
  __asm__ volatile("lr.w t0, (%2); sc.d %0, %1, (%2)" : "=&r"(failed) : "r"(value + 2), "r"(data) : "t0", "memory");
  line2("failed in whole", failed, data[0]);
  __asm__ volatile("lr.w t0, (%2); lr.d t0, 0(%3); sc.w %0, %1, (%2)" : "=&r"(failed) : "r"(value + 3), "r"(data), "r"(data + 1) : "t0", "memory");
  line2("failed after another", failed, data[0]);
}

static void show_jumps(void) {
  u64 targets[] = {0, 0x500, 0x502, 0x60000, RAM_END, RAM_END + 2, 0xfffffffffffffffe};
  for (u64 i = 0; i < sizeof targets / sizeof *targets; i++) {
    expect_trap();
    __asm__ volatile("jalr %0" ::"r"(targets[i]) : "ra", "memory");
    show_trap("jump");
    expect_trap();
    __asm__ volatile("jalr ra, 1(%0)" ::"r"(targets[i]) : "ra", "memory");
    show_trap("odd jump");
  }
  // Code up to RAM's last halfword, and a return from there. (QEMU 7.2 ends with a failed assertion where a long
  // instruction begins there.)
  static const u32 last[][2] = {{0x0001, 0x0001}, {0x0513, 0x0000}, {0x8082, 0x0000}, {0x0001, 0x8082}, {0x0000, 0x8082}};
  for (u64 i = 0; i < sizeof last / sizeof *last; i++) {
    *(volatile u16 *)(RAM_END - 4) = last[i][0];
    *(volatile u16 *)(RAM_END - 2) = last[i][1];
    expect_trap();
    __asm__ volatile("fence.i; jalr %0" ::"r"(RAM_END - 4) : "ra", "a0", "memory");
    show_trap("end of RAM");
  }
}

void program(u64 hart) {
  show_environment();
  show_illegal();
  show_accesses();
  show_misaligned();
  show_conditional();
  show_jumps();
}
