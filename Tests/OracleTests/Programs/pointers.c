// Calls by pointers to functions that lie on 96 pages, more than a hart keeps predecoded, and calls that go deep.
#include "runtime.h"

#define PAGES 96

// Function n begins a page and ends on the next one, with an instruction that may lie across the two.
__asm__(
    ".text\n.option push\n.option norelax\n.option norvc\n.balign 4096\npages:\n"
    ".set n, 0\n"
    ".rept 96\n"
    "xori a0, a0, n * 5\n slli a1, a0, 7\n srli a0, a0, 57\n or a0, a0, a1\n addi a0, a0, n\n j 1f\n"
    ".zero 4096 - 24 - 2 - (n % 3) * 2\n"
    "1: addi a0, a0, n + 3\n slli a0, a0, 1\n addi a0, a0, 1\n ret\n"
    ".zero 4096 - 16 + 2 + (n % 3) * 2\n"
    ".set n, n + 1\n"
    ".endr\n.option pop\n");
extern char pages[];

typedef u64 (*function)(u64);
static function table[PAGES];

static u64 deep(u64 depth, u64 value) {
  if (depth == 0) return value;
  u64 x = table[value % PAGES](value + depth);
  return hash(deep(depth - 1, x), x);
}

void program(u64 hart) {
  for (u64 i = 0; i < PAGES; i++) table[i] = (function)(pages + i * 8192);
  u64 value = 1;
  for (int round = 0; round < 20; round++) {
    for (u64 i = 0; i < PAGES; i++) value = table[i](value);
    line("in order", value);
  }
  u64 state = 7;
  for (int round = 0; round < 20; round++) {
    for (u64 i = 0; i < 500; i++) value = table[next_random(&state) % PAGES](value);
    line("by chance", value);
  }
  for (u64 i = 0; i < 20; i++) line("deep", deep(200, i));
}
