// One instruction at a time, with all registers before and after.
#pragma once
#include "runtime.h"

struct probe {
  // x[0] is not looked at.
  u64 x[32];
  // Where to go, and where it trapped.
  u64 pc;
  u64 cause, value;
  u64 stack;
};

void probe(struct probe *state);

// 16 KiB of c.ebreak around the instruction that is tried: wherever it goes, it traps there.
#define AREA_SIZE 16384
#define SLOT 8192
extern u8 area[AREA_SIZE];

void clear_area(void);
// Puts the instruction into the slot, runs it and adds what it did to the registers to `sum`.
u64 probe_instruction(u64 sum, u32 bits, struct probe *state, const u64 *registers);
// Adds to `sum` what was written to the area, and clears it.
u64 hash_writes(u64 sum);
