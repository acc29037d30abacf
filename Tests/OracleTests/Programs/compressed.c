// Every one of the 49152 compressed instructions, with registers that point into memory, and with corner values.
#include "probe.h"

static struct probe state;
static u64 registers[32];

static int is_jump_to_register(u32 bits) { return (bits & 3) == 2 && bits >> 13 == 4 && (bits >> 2 & 31) == 0; }
static int is_memory(u32 bits) { return (bits & 3) != 1 && bits >> 13 != 0 && bits >> 13 != 4; }
static int is_store(u32 bits) { return (bits & 3) != 1 && bits >> 13 > 4; }
// Jumps and branches to themselves.
static int is_endless(u32 bits) { return bits == 0xa001 || ((bits & 3) == 1 && bits >> 13 > 5 && (bits & 0x1c7c) == 0); }

static void point(void) {
  for (u64 i = 0; i < 32; i++) registers[i] = (u64)area + i * 0x60;
}

static const u64 corners[] = {0, 1, ~0ul, 0x7fffffff, 0x80000000, 0xffffffff, 0x8000000000000000, 0x7fffffffffffffff, 0x123456789abcdef0};

static void scatter(u64 seed) {
  for (int i = 0; i < 32; i++) {
    u64 random = next_random(&seed);
    registers[i] = random % 3 ? corners[random % 9] : next_random(&seed);
  }
}

void program(u64 hart) {
  clear_area();
  for (u32 group = 0; group < 0x10000; group += 0x100) {
    u64 pointed = HASH_START, scattered = HASH_START;
    for (u32 bits = group; bits < group + 0x100; bits++) {
      if ((bits & 3) == 3 || is_endless(bits)) continue;
      point();
      pointed = probe_instruction(pointed, bits, &state, registers);
      if (is_store(bits)) pointed = hash_writes(pointed);
      if (is_memory(bits) || is_jump_to_register(bits)) continue;
      scatter(bits % 64);
      scattered = probe_instruction(scattered, bits, &state, registers);
    }
    pointed = hash_writes(pointed);
    print_hex(group);
    line2("", pointed, scattered);
  }
}
