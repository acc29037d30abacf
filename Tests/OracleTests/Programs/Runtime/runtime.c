#include "runtime.h"

volatile struct trap traps[8];
void (*volatile on_interrupt)(struct frame *frame);

void finish_with(u64 code) {
  register u64 t0 __asm__("t0") = code << 16 | 0x3333;
  __asm__ volatile("j finish" ::"r"(t0));
  __builtin_unreachable();
}

// Of the trap vector. An exception is noted, and its instruction skipped.
void take_trap(struct frame *frame) {
  if (frame->cause & INTERRUPT) {
    if (!on_interrupt) finish_with(98);
    on_interrupt(frame);
    return;
  }
  volatile struct trap *trap = &traps[hart_id()];
  trap->count++;
  trap->cause = frame->cause;
  trap->epc = frame->epc;
  trap->value = frame->value;
  trap->status = frame->status & (MIE | MPIE);
  if (frame->cause == 1) {
    // What cannot be fetched was called.
    frame->epc = frame->ra;
  } else {
    frame->epc += (*(volatile u16 *)frame->epc & 3) == 3 ? 4 : 2;
  }
}

static void put(char byte) {
  while (!(read8(UART + 5) & 0x20)) {}
  write8(UART, byte);
}

void print(const char *text) {
  while (*text) put(*text++);
}

void print_hex(u64 value) {
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

void line(const char *name, u64 value) {
  print(name);
  print(" ");
  print_hex(value);
  print("\n");
}

void line2(const char *name, u64 first, u64 second) {
  print(name);
  print(" ");
  print_hex(first);
  print(" ");
  print_hex(second);
  print("\n");
}

u64 hash(u64 hash, u64 value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ul;
  return hash ^ hash >> 29;
}

u64 hash_bytes(u64 sum, const volatile u8 *bytes, u64 count) {
  while (count--) sum = hash(sum, *bytes++);
  return sum;
}

u64 next_random(u64 *state) {
  u64 x = *state += 0x9e3779b97f4a7c15ul;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ul;
  x = (x ^ x >> 27) * 0x94d049bb133111ebul;
  return x ^ x >> 31;
}

u64 ticks(void) { return read64(CLINT + 0xbff8); }

u64 hart_id(void) { return csr_read(mhartid); }

void sleep_until(volatile u64 *word, u64 least) {
  // Off while it looks, so that no interrupt comes between the look and the wait.
  csr_clear(mstatus, MIE);
  while (*word < least) {
    __asm__ volatile("wfi" ::: "memory");
    csr_set(mstatus, MIE);
    csr_clear(mstatus, MIE);
  }
  csr_set(mstatus, MIE);
}

void barrier(u64 harts) {
  static volatile u64 arrived, round;
  u64 mine = round;
  if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == harts) {
    arrived = 0;
    __atomic_store_n(&round, mine + 1, __ATOMIC_RELEASE);
  } else {
    while (__atomic_load_n(&round, __ATOMIC_ACQUIRE) == mine) {}
  }
}

void expect_trap(void) {
  volatile struct trap *trap = &traps[hart_id()];
  trap->count = 0;
  trap->cause = trap->epc = trap->value = trap->status = 0;
}

void show_trap(const char *name) {
  volatile struct trap *trap = &traps[hart_id()];
  print(name);
  if (trap->count == 0) {
    print(": no trap\n");
    return;
  }
  print(": cause ");
  print_hex(trap->cause);
  print(" epc ");
  print_hex(trap->epc);
  print(" value ");
  print_hex(trap->value);
  if (trap->count != 1) line(" count", trap->count);
  print("\n");
}
