// The bench guest: every hart runs every kernel, all of them starting each one together, and hart 0 says on the
// UART how long each took, by the board's time. It needs nothing but the board, so it runs under QEMU too:
//   qemu-system-riscv64 -M virt -bios none -nographic -smp 2 -kernel bench.elf
//
//   fsr-bench 1 harts 2 work 1000
//   fsr-bench 1 kernel sieve hart 0 start 1234 end 5678 instructions 91011 right 1
//   fsr-bench 1 end
//
// Start and end are in units of 100 ns. Instructions are as the hart counts them (minstret).

#include "kernels.h"

#define HARTS 16
#define UART ((volatile u8 *)0x10000000UL)
#define FINISHER ((volatile u32 *)0x00100000UL)
#define MSIP(hart) ((volatile u32 *)(0x02000000UL + 4 * (hart)))

// Set in the file by whoever runs it. Work is in thousandths of the full rounds.
struct parameters {
  u64 magic, version, harts, work;
};
__attribute__((aligned(64))) volatile struct parameters bench_parameters = {0x4d52415048434e42UL, 1, 1, 1000};

extern u8 free_memory[];

struct times {
  u64 start, end, instructions, right;
};
static volatile struct times times[HARTS];

static u64 arrived;
static volatile u64 turn;

static void put(char byte) {
  while (!(UART[5] & 0x20)) {
  }
  UART[0] = byte;
}

static void put_text(const char *text) {
  while (*text) put(*text++);
}

static void put_number(u64 value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = '0' + value % 10;
    value /= 10;
  } while (value);
  while (count) put(digits[--count]);
}

static void put_field(const char *name, u64 value) {
  put(' ');
  put_text(name);
  put(' ');
  put_number(value);
}

void unexpected_trap(u64 cause, u64 address) {
  put_text("unexpected trap ");
  put_number(cause);
  put_text(" at ");
  put_number(address);
  put('\n');
  *FINISHER = 1 << 16 | 0x3333;
  for (;;) {
  }
}

// The compiler's own, for what it makes of loops and structures.
void *memset(void *target, int byte, u64 count) {
  u8 *bytes = target;
  for (u64 i = 0; i < count; i++) {
    bytes[i] = (u8)byte;
    __asm__ volatile("" ::: "memory");
  }
  return target;
}

// Waits until every hart has come here. Who waits sleeps, so that it takes nothing from the others.
static void meet(u64 hart, u64 harts) {
  u64 seen = turn;
  if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == harts) {
    __atomic_store_n(&arrived, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&turn, seen + 1, __ATOMIC_RELEASE);
    for (u64 i = 0; i < harts; i++)
      if (i != hart) *MSIP(i) = 1;
    return;
  }
  while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == seen) __asm__ volatile("wfi");
  // The next one comes only after this hart has arrived again.
  *MSIP(hart) = 0;
}

static inline u64 now(void) {
  u64 time;
  __asm__ volatile("rdtime %0" : "=r"(time)::"memory");
  return time;
}

static inline u64 count(void) {
  u64 instructions;
  __asm__ volatile("rdinstret %0" : "=r"(instructions)::"memory");
  return instructions;
}

static void report(const char *name, u64 harts) {
  for (u64 i = 0; i < harts; i++) {
    put_text("fsr-bench 1 kernel ");
    put_text(name);
    put_field("hart", i);
    put_field("start", times[i].start);
    put_field("end", times[i].end);
    put_field("instructions", times[i].instructions);
    put_field("right", times[i].right);
    put('\n');
  }
}

static void sleep(void) {
  __asm__ volatile("csrw mie, zero");
  for (;;) __asm__ volatile("wfi");
}

void bench(u64 hart) {
  u64 harts = bench_parameters.harts, work = bench_parameters.work;
  if (hart >= harts || hart >= HARTS) sleep();
  // Only wfi sees it: interrupts stay off.
  __asm__ volatile("csrs mie, %0" ::"r"(1 << 3));
  if (hart == 0) {
    put_text("fsr-bench 1");
    put_field("harts", harts);
    put_field("work", work);
    put('\n');
  }
  u8 *memory = free_memory + hart * WORKSPACE;
  for (u64 i = 0; i < kernel_count; i++) {
    u64 rounds = kernels[i].rounds * work / 1000;
    if (rounds == 0) rounds = 1;
    meet(hart, harts);
    volatile struct times *mine = &times[hart];
    mine->start = now();
    u64 before = count();
    mine->right = (u64)kernels[i].run(memory, rounds);
    mine->instructions = count() - before;
    mine->end = now();
    meet(hart, harts);
    if (hart == 0) report(kernels[i].name, harts);
  }
  meet(hart, harts);
  if (hart == 0) {
    put_text("fsr-bench 1 end\n");
    *FINISHER = 0x5555;
  }
  sleep();
}
