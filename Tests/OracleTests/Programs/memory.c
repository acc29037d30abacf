// Loads and stores of every width at every alignment, across pages too, and where RAM ends.
#include "runtime.h"

static u8 area[8192 + 64] __attribute__((aligned(4096)));

#define LOADS(X) X(lb) X(lbu) X(lh) X(lhu) X(lw) X(lwu) X(ld)
#define STORES(X) X(sb) X(sh) X(sw) X(sd)

static void fill(u64 seed) {
  for (u64 i = 0; i < sizeof area; i++) area[i] = next_random(&seed);
}

// 48 bytes on both sides of `from`, of which some have all and some have no top bits.
static void show_loads(const char *name, u64 from) {
  print(name);
  print("\n");
#define LOAD(load) \
  { \
    u64 sum = HASH_START; \
    for (u64 i = 0; i < 48; i++) { \
      u64 value; \
      __asm__ volatile(#load " %0, 0(%1)" : "=r"(value) : "r"(area + from + i)); \
      sum = hash(sum, value); \
      __asm__ volatile(#load " %0, -2048(%1)" : "=r"(value) : "r"(area + from + i + 2048)); \
      sum = hash(sum, value); \
      __asm__ volatile(#load " %0, 2047(%1)" : "=r"(value) : "r"(area + from + i - 2047)); \
      sum = hash(sum, value); \
    } \
    line(#load, sum); \
  }
  LOADS(LOAD)
}

static void show_stores(const char *name, u64 from) {
  print(name);
  print("\n");
#define STORE(store) \
  for (u64 i = 0; i < 16; i++) { \
    fill(i); \
    __asm__ volatile(#store " %0, 0(%1)" ::"r"(0x8192a3b4c5d6e7f8), "r"(area + from + i) : "memory"); \
    line(#store, hash_bytes(HASH_START, area, sizeof area)); \
  }
  STORES(STORE)
}

static void show_end(void) {
  u64 value;
#define END_LOAD(load) \
  for (int i = 1; i <= 8; i++) { \
    value = 0x1234; \
    expect_trap(); \
    __asm__ volatile(#load " %0, 0(%1)" : "+r"(value) : "r"(RAM_END - i) : "memory"); \
    show_trap(#load); \
    line("loaded", value); \
  }
  for (int i = 1; i <= 16; i++) write8(RAM_END - i, i * 29);
  LOADS(END_LOAD)
#define END_STORE(store) \
  for (int i = 1; i <= 8; i++) { \
    for (int k = 1; k <= 16; k++) write8(RAM_END - k, k * 7); \
    expect_trap(); \
    __asm__ volatile(#store " %0, 0(%1)" ::"r"(0x8192a3b4c5d6e7f8), "r"(RAM_END - i) : "memory"); \
    show_trap(#store); \
    /* What a store that faults in its second part leaves of its first is open. */ \
    if (!traps[0].count) line2("holds", read64(RAM_END - 8), read64(RAM_END - 16)); \
  }
  STORES(END_STORE)
}

void program(u64 hart) {
  fill(1);
  show_loads("in a page", 2048);
  show_loads("across pages", 4096 - 24);
  show_stores("in a page", 1024);
  show_stores("across pages", 4096 - 8);
  show_end();
}
