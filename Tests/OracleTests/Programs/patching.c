// Code that writes code: by itself, over pages and instructions of both lengths, and for another hart.
#include "runtime.h"

#define HARTS 2

static u16 code[3 * 2048] __attribute__((aligned(4096)));

static u64 call(u16 *at, u64 argument) { return ((u64(*)(u64))at)(argument); }
static void fence(void) { __asm__ volatile("fence.i" ::: "memory"); }

// addi a0, a0, n
static void put_addi(u16 *at, u64 n) {
  at[0] = 0x0513;
  at[1] = n << 4 | 5;
}
static void put_short_addi(u16 *at, u64 n) { *at = 0x0501 | (n & 31) << 2; }
static void put_return(u16 *at) { *at = 0x8082; }

static void patch_alone(void) {
  u64 sum = HASH_START;
  for (u64 n = 0; n < 200; n++) {
    put_addi(code, n);
    put_return(code + 2);
    fence();
    sum = hash(sum, call(code, n * 3));
  }
  line("one instruction", sum);
  // The second halfword alone changes, the long instruction becomes two short ones, and lies across pages.
  for (u64 place = 2040; place < 2052; place++) {
    for (u64 n = 1; n < 16; n++) {
      put_addi(code + place, n);
      put_return(code + place + 2);
      fence();
      sum = hash(sum, call(code + place, 100));
      code[place + 1] = (n + 7) << 4 | 5;
      fence();
      sum = hash(sum, call(code + place, 200));
      put_short_addi(code + place, n);
      put_short_addi(code + place + 1, n + 1);
      fence();
      sum = hash(sum, call(code + place, 300));
    }
  }
  line("across pages", sum);
  // A stretch of code is copied onto itself, one halfword on.
  for (int shift = 0; shift < 40; shift++) {
    for (int i = 0; i < 30; i++) put_short_addi(code + shift + i, i + 1);
    put_return(code + shift + 30);
    fence();
    sum = hash(sum, call(code + shift, shift));
    sum = hash(sum, call(code + shift + 7, shift));
  }
  line("moved", sum);
}

// Code that overwrites what follows it, fences, and goes on into it.
static void patch_ahead(void) {
  u64 first, second;
  __asm__ volatile(
      ".option push; .option norvc;"
      "la t0, 3f; lw t1, 4f; li %0, 0; li %1, 0; li t2, 2;"
      "1: fence.i; 3: addi %0, %0, 1; addi %1, %1, 1; sw t1, 0(t0); addi t2, t2, -1; bnez t2, 1b; j 5f;"
      "4: addi %0, %0, 64;"
      "5: .option pop"
      : "=&r"(first), "=&r"(second)::"t0", "t1", "t2", "memory");
  line2("patched ahead", first, second);
}

static volatile u64 asked, stopped, patched, result;

static void fenced(struct frame *frame) {
  write32(CLINT + 4 * hart_id(), 0);
  stopped = asked;
  while (__atomic_load_n(&patched, __ATOMIC_ACQUIRE) != asked) {}
  fence();
}

// Hart 0 interrupts hart 1, which runs the code all the time, patches while the other is in its handler, and lets
// it fence and go on. (QEMU 7.2 may keep the old code for good if it translates it at the moment of the store.)
static void patch_for_another(u64 hart) {
  static volatile u64 done;
  if (hart == 1) {
    on_interrupt = fenced;
    csr_write(mie, SOFTWARE);
    csr_set(mstatus, MIE);
    barrier(HARTS);
    while (!done) result = call(code + 2046, 1000);
    csr_clear(mstatus, MIE);
    return;
  }
  put_addi(code + 2046, 1);
  put_return(code + 2048);
  fence();
  barrier(HARTS);
  u64 sum = HASH_START;
  for (u64 n = 2; n < 300; n++) {
    asked = n;
    write32(CLINT + 4, 1);
    while (stopped != n) {}
    code[2047] = n << 4 | 5;
    __atomic_store_n(&patched, n, __ATOMIC_RELEASE);
    // One result of the old code may still come.
    while (result != 1000 + n) {}
    sum = hash(sum, result);
  }
  done = 1;
  line("patched for another", sum);
}

void program(u64 hart) {
  if (hart == 0) {
    patch_alone();
    patch_ahead();
  }
  barrier(HARTS);
  patch_for_another(hart);
  barrier(HARTS);
}
