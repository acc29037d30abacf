// Which widths the devices take, where they begin and end, and that a load into x0 is a load.
#include "runtime.h"

// Aligned ones alone: a misaligned one QEMU makes into several, and ours is a fault.
static void try_loads(const char *name, u64 at) {
  u64 value;
#define LOAD(load, width) \
  if (at % width == 0) { \
    value = 0x5555; \
    expect_trap(); \
    __asm__ volatile(#load " %0, 0(%1)" : "+r"(value) : "r"(at) : "memory"); \
    show_trap(name); \
    line("  " #load, value); \
  }
  LOAD(lb, 1)
  LOAD(lbu, 1)
  LOAD(lh, 2)
  LOAD(lhu, 2)
  LOAD(lw, 4)
  LOAD(lwu, 4)
  LOAD(ld, 8)
}

static void try_stores(const char *name, u64 at, u64 value) {
#define STORE(store, width) \
  if (at % width == 0) { \
    expect_trap(); \
    __asm__ volatile(#store " %0, 0(%1)" ::"r"(value), "r"(at) : "memory"); \
    show_trap(name); \
  }
  STORE(sb, 1)
  STORE(sh, 2)
  STORE(sw, 4)
  STORE(sd, 8)
}

void program(u64 hart) {
  try_loads("line status", UART + 5);
  try_loads("scratch", UART + 7);
  try_loads("identity", UART + 2);
  try_loads("modem control", UART + 4);
  try_stores("scratch", UART + 7, 0x1234567890abcdef);
  try_loads("scratch", UART + 7);
  try_stores("modem control", UART + 4, 0);
  try_loads("behind the port", UART + 8);
  try_loads("behind the port", UART + 0x10);
  try_loads("last of the port", UART + 0xf8);
  try_stores("behind the port", UART + 0x10, 0);
  try_loads("behind its window", UART + 0x100);
  try_loads("msip", CLINT);
  try_loads("msip of the next", CLINT + 4);
  try_loads("msip of nobody", CLINT + 0x100);
  try_stores("msip", CLINT, 0);
  try_stores("msip of nobody", CLINT + 0x100, 1);
  write64(CLINT + 0x4000, 0x123456789abcdef0);
  try_loads("mtimecmp", CLINT + 0x4000);
  try_loads("mtimecmp's upper half", CLINT + 0x4004);
  try_stores("mtimecmp", CLINT + 0x4000, 0xfedcba9876543210);
  try_loads("mtimecmp", CLINT + 0x4000);
  try_stores("mtimecmp's upper half", CLINT + 0x4004, 0x7777777788888888);
  line("mtimecmp", read64(CLINT + 0x4000));
  try_loads("mtimecmp of nobody", CLINT + 0x4008);
  try_stores("mtimecmp of nobody", CLINT + 0x4008, 0);
  try_loads("behind the timer", CLINT + 0xc000);
  try_loads("last of the timer", CLINT + 0xfff8);
  try_loads("behind the timer's window", CLINT + 0x10000);
  try_loads("finisher", FINISHER);
  try_loads("finisher", FINISHER + 8);
  try_loads("finisher", FINISHER + 0xff8);
  try_stores("finisher", FINISHER, 0);
  try_stores("finisher", FINISHER + 8, 0x5555);
  try_stores("finisher", FINISHER, 0x55550000);
  // Looped back, a byte waits; a load into x0 takes it.
  write8(UART + 4, 0x10);
  write8(UART, 'x');
  u64 before = read8(UART + 5);
  __asm__ volatile("lbu x0, 0(%0)" ::"r"(UART) : "memory");
  u64 after = read8(UART + 5);
  write8(UART + 4, 0);
  line2("data ready", before, after);
}
