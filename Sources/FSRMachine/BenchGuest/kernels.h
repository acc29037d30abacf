// The bench guest's kernels: small pieces of ordinary compiled code. Each does the same work whenever it is called with the
// same number of rounds, in the memory that it is given, and answers whether what it computed is right.

#pragma once

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

// What a hart works in.
#define WORKSPACE (256UL << 10)

struct kernel {
  const char *name;
  int (*run)(u8 *memory, u64 rounds);
  // Rounds at full work: about as many instructions for each kernel.
  u64 rounds;
};

extern const struct kernel kernels[];
extern const u64 kernel_count;
