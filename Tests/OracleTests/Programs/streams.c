// Runs streams of random instructions, one after the other, and prints what each did to registers and memory.
//
// The table comes from the test, which makes the instructions. A trap is noted, its instruction skipped; a c.ebreak at
// the stream's end ends it.
#include "probe.h"

struct stream {
  // Of its code, from the table's start, and its length with the c.ebreak.
  u32 offset, size;
  // Makes registers and memory.
  u64 seed;
  // The register that points into the middle of its memory.
  u64 base;
};

extern const struct {
  u64 count;
  // Whether to print everything instead of hashes.
  u64 isVerbose;
  struct stream streams[];
} table;

__asm__(".section .data\n.balign 16\n.global table\ntable: .incbin \"streams.bin\"\n");

#define TRAP_LIMIT 1000

static struct probe state;
static const u64 corners[] = {0, 1, 2, ~0ul, 0x7fffffff, 0x80000000, 0xffffffff, 0x8000000000000000, 0x7fffffffffffffff, 0x100000000, 0xffffffff80000000, 63};

static u64 corner_or_chance(u64 *seed) {
  u64 random = next_random(seed);
  return random % 2 ? corners[random / 2 % 12] : next_random(seed) >> (random / 2 % 64);
}

// An AMO's exceptions are those of a store. QEMU 7.2 says load, against the architecture: it is set right here.
static void correct_cause(void) {
  if (state.cause != 4 && state.cause != 5) return;
  u32 bits = *(u16 *)state.pc | *(u16 *)(state.pc + 2) << 16;
  if ((bits & 0x7f) == 0x2f && (bits >> 28 & 1) == 0) state.cause |= 2;
}

static u64 run(const struct stream *stream) {
  u64 seed = stream->seed;
  u64 *memory = (u64 *)area;
  for (u64 i = 0; i < AREA_SIZE / 8; i++) memory[i] = corner_or_chance(&seed);
  for (int i = 1; i < 32; i++) state.x[i] = corner_or_chance(&seed);
  state.x[stream->base] = (u64)area + AREA_SIZE / 2;
  u64 start = (u64)&table + stream->offset;
  state.pc = start;
  csr_write(mtval, seed);
  csr_write(mcause, seed >> 8);
  u64 sum = HASH_START, traps = 0;
  while (1) {
    probe(&state);
    if (state.pc == start + stream->size - 2) break;
    correct_cause();
    csr_write(mcause, state.cause);
    sum = hash(hash(hash(sum, state.cause), state.pc - start), state.value);
    if (table.isVerbose) {
      line2("trap, at", state.cause, state.pc - start);
      line("  value", state.value);
    }
    if (++traps == TRAP_LIMIT) break;
    state.pc += (*(u16 *)state.pc & 3) == 3 ? 4 : 2;
  }
  for (int i = 1; i < 32; i++) {
    sum = hash(sum, state.x[i]);
    if (table.isVerbose) line2("x", i, state.x[i]);
  }
  for (u64 i = 0; i < AREA_SIZE / 8; i++) sum = hash(sum, memory[i]);
  for (u64 i = AREA_SIZE / 32; table.isVerbose && i < AREA_SIZE / 32 * 3; i++) line2("memory", i * 8, memory[i]);
  return sum;
}

void program(u64 hart) {
  __asm__ volatile("fence.i" ::: "memory");
  for (u64 i = 0; i < table.count; i++) line2("stream", i, run(&table.streams[i]));
}
